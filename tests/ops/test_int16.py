"""int16 activations: C gives the integers, the rules hold, functions are interpolated well."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pintsize.arithmetic import Grid, Quantized, dequantize, quantize
from pintsize.compress.quantize import Quantize, freeze
from pintsize.emulate import HostModel, build, core, execute
from pintsize.errors import SpecError, UserError
from pintsize.graph import Graph, Node, Op, Tensor, TensorType, rebuild
from pintsize.interpolated import sigmoid_int16, tanh_int16
from pintsize.module import GraphModule, run_float, run_integers
from pintsize.ops import Conv2d, HardSwish, Linear, Lstm, Pad, Relu, Reshape, Sigmoid, Tanh
from pintsize.spec import check
from pintsize.write.c import write
from tests.compiled import host_compiler, run_on_host
from tests.examples import constant
from tests.int16_graphs import every_int16_kernel, int16_graphs, within_int8

ALL_CODES = torch.arange(-32768, 32768, dtype=torch.float32)


def random_codes(graph: Graph, count: int) -> np.ndarray:
    kind = graph.type(graph.inputs[0])
    dtype = np.int16 if kind.dtype == "int16" else np.int8
    bounds = np.iinfo(dtype)
    codes = np.random.default_rng(0).integers(bounds.min, bounds.max + 1, (count, *kind.shape)).astype(dtype)
    codes[0], codes[1] = bounds.min, bounds.max
    return codes


def assert_c_gives_the_integers(graph: Graph, reuse_io: bool = False) -> None:
    codes = random_codes(graph, 6)
    expected = run_integers(graph, codes)
    found = run_on_host(write(graph, reuse_io=reuse_io).files, codes)
    assert np.array_equal(found.view(expected.dtype), expected.reshape(len(codes), -1))


@settings(max_examples=25)
@given(int16_graphs(), st.booleans())
def test_c_gives_the_integers_of_drawn_graphs(graph: Graph, reuse_io: bool) -> None:
    assert_c_gives_the_integers(graph, reuse_io)


@pytest.mark.parametrize("name", ["cortex-m0", "cortex-m4"])
def test_cores_give_the_integers(name: str) -> None:
    graph = every_int16_kernel()
    codes = random_codes(graph, 4)
    found = execute(build(write(graph).files, core(name)), codes, count=False).outputs
    assert np.array_equal(found.view(np.int16), run_integers(graph, codes))


def test_sums_may_leave_32_bits() -> None:
    wide = np.full((3, 2000), 127, np.int8)
    tensors = [
        Tensor("x", TensorType((2000,), "int16", (1e-4,))),
        Tensor("w", TensorType(wide.shape, "int8", (0.01,) * 3, axis=0), wide),
        Tensor("b", TensorType((3,), "int32", (1e-6,) * 3, axis=0), np.array([0, 5, -(2**31) + 1], np.int32)),
        Tensor("y", TensorType((3,), "int16", (0.3,))),
    ]
    node = Node("linear", Linear(), ("x", "w", "b"), "y")
    graph = Graph("wide", {t.name: t for t in tensors}, (node,), ("x",), ("y",))
    codes = random_codes(graph, 3)
    assert abs(int(codes[0].astype(np.int64).sum()) * 127) > 2**32
    assert_c_gives_the_integers(graph)


def test_the_self_test_passes_and_the_sanitizers_find_nothing() -> None:
    graph = every_int16_kernel()
    codes = random_codes(graph, 3)
    files = write(graph, golden=(codes, run_integers(graph, codes))).files
    assert (
        "static const int16_t golden_inputs[GOLDEN_VECTORS][MODEL_INPUT_BYTES / 2]"
        in files["model_self_test.c"]
    )
    if host_compiler() == "zig":
        pytest.skip("the sanitizers need gcc or clang")
    with HostModel(files, sanitize=True) as model:
        assert np.array_equal(model.run(codes).view(np.int16), run_integers(graph, codes))


def test_the_header_says_what_goes_in_and_out() -> None:
    header = write(every_int16_kernel()).files["model.h"]
    assert "void model_run(const int16_t *in, int16_t *out);" in header
    assert "#define MODEL_INPUT_BYTES 12" in header
    assert "static inline int16_t model_quantize(float real)" in header
    assert (
        "void model_run(const int8_t *in, int8_t *out);"
        in write(within_int8(every_int16_kernel())).files["model.h"]
    )


def small_graph(*ops: Node) -> tuple[Graph, np.ndarray]:
    rng = np.random.default_rng(3)
    constants = {
        "w": constant("w", rng.normal(0, 0.5, (4, 3, 3, 2))),
        "b": constant("b", rng.normal(0, 0.2, 4)),
    }
    nodes = (Node("conv", Conv2d(padding=(1, 1, 1, 1), activation="relu"), ("x", "w", "b"), "conv"), *ops)
    graph = Graph("small", {"x": Tensor("x", TensorType((5, 5, 2)))}, (), ("x",), (nodes[-1].output,))
    return rebuild(graph, nodes, constants), rng.normal(0, 1, (32, 5, 5, 2)).astype(np.float32)


def test_16_bits_are_much_closer_to_real_numbers_than_8() -> None:
    graph, samples = small_graph(Node("tanh", Tanh(), ("conv",), "tanh"))
    real = run_float(graph, torch.from_numpy(samples)).numpy()
    errors = []
    for bits in (8, 16):
        integer = Quantize(calibration="min_max", activation_bits=bits)(graph, samples)
        x, y = integer.type("x"), integer.type("tanh")
        codes = np.clip(
            np.round(samples / x.scale[0]) + x.zero_point, *(-128, 127) if bits == 8 else (-32768, 32767)
        )
        found = run_integers(integer, codes.astype(np.int8 if bits == 8 else np.int16))
        errors.append(float(np.abs(dequantize(found, y.scale[0], y.zero_point) - real).mean()))
    assert errors[1] < errors[0] / 2


def test_training_computes_the_integers() -> None:
    graph, samples = small_graph(Node("sigmoid", Sigmoid(), ("conv",), "sigmoid"))
    module = GraphModule(Quantize(activation_bits=16).annotate(graph, samples))
    codes = module.forward_codes(torch.from_numpy(samples))
    codes.sum().backward()
    gradients = [p.grad for name, p in module.named_parameters() if p.grad is not None]
    assert gradients
    assert all(torch.isfinite(g).all() for g in gradients)
    frozen = freeze(module.graph())
    scale = frozen.type("x").scale[0]
    steps = samples / np.float32(scale)
    given_codes = np.clip(np.trunc(steps + np.copysign(np.float32(0.5), steps)), -32768, 32767).astype(
        np.int16
    )
    assert np.array_equal(run_integers(frozen, given_codes), codes.detach().numpy())


def lstm_graph(channels: int = 3, hidden: int = 4) -> tuple[Graph, np.ndarray]:
    rng = np.random.default_rng(5)
    shapes = {"w": (hidden, 4, channels), "r": (hidden, 4, hidden), "b": (hidden, 4)}
    constants = {name: constant(name, rng.normal(0, 0.7, shape)) for name, shape in shapes.items()}
    x = Tensor("x", TensorType((12, channels)))
    node = Node("y", Lstm(), ("x", *shapes), "y")
    graph = rebuild(Graph("lstm", {"x": x}, (), ("x",), ("y",)), [node], constants)
    return graph, rng.normal(0, 1, (32, 12, channels)).astype(np.float32)


def test_an_lstm_of_16_bits_is_closer_to_real_numbers_than_one_of_8() -> None:
    graph, samples = lstm_graph()
    real = run_float(graph, torch.from_numpy(samples)).numpy()
    errors = []
    for bits in (8, 16):
        integer = Quantize(calibration="min_max", activation_bits=bits)(graph, samples)
        x, y = integer.type("x"), integer.type("y")
        found = run_integers(integer, quantize(samples, x.scale[0], x.zero_point, bits))
        errors.append(float(np.abs(dequantize(found, y.scale[0], y.zero_point) - real).mean()))
    assert errors[1] < errors[0] / 2
    assert errors[1] < 0.01 * real.std()  # its weights have 8 bits


def test_training_an_lstm_computes_the_integers_and_reaches_every_constant() -> None:
    graph, samples = lstm_graph()
    module = GraphModule(Quantize(activation_bits=16, weight_bits=4).annotate(graph, samples))
    codes = module.forward_codes(torch.from_numpy(samples))
    codes.square().sum().backward()
    gradients = {name: p.grad for name, p in module.named_parameters() if p.grad is not None}
    assert len(gradients) == len(list(module.parameters()))
    assert all(g.isfinite().all() for g in gradients.values())
    assert all(g.abs().max() > 0 for name, g in gradients.items() if name.startswith("values"))
    frozen = freeze(module.graph())
    given_codes = quantize(samples, frozen.type("x").scale[0], 0, 16)
    assert np.array_equal(run_integers(frozen, given_codes), codes.detach().numpy())


def test_an_lstm_whose_inputs_are_too_large_for_its_gates() -> None:
    graph, samples = lstm_graph()
    with pytest.raises(UserError, match="normalize it in the model"):
        Quantize(activation_bits=16)(graph, 1e5 * samples)


def test_an_lstm_with_factors_too_large_is_not_legal() -> None:
    graph, samples = lstm_graph()
    integer = Quantize(activation_bits=16)(graph, samples)
    weight = integer.tensors["w"]
    coarse = integer.with_tensors(replace(weight, type=replace(weight.type, scale=(1e3,) * 4)))
    with pytest.raises(SpecError, match=r"y has weights too coarse .*below 2\^7"):
        check(coarse, "integer")


@pytest.mark.parametrize("name", ["cortex-m0", "cortex-m4"])
def test_an_lstm_on_cores(name: str) -> None:
    graph, samples = lstm_graph()
    integer = Quantize(activation_bits=16)(graph, samples)
    codes = random_codes(integer, 4)
    found = execute(build(write(integer).files, core(name)), codes, count=False).outputs
    assert np.array_equal(found.view(np.int16), run_integers(integer, codes).reshape(4, -1))


def test_an_op_without_int16_is_named() -> None:
    graph, samples = small_graph(Node("swish", HardSwish(), ("conv",), "swish"))
    with pytest.raises(UserError, match=r"no int16 arithmetic for swish \(hard_swish\)"):
        Quantize(activation_bits=16)(graph, samples)


def test_activations_have_8_or_16_bits() -> None:
    with pytest.raises(UserError, match=r"activations may have \[8, 16\] bits, not 4"):
        Quantize(activation_bits=4)  # pyright: ignore[reportArgumentType]


def changed(kind: TensorType, op: Op) -> Graph:
    """An int16 input, an op, an output of this type."""
    x = TensorType((2,), "int16", (0.1,))
    tensors = {"x": Tensor("x", x), "y": Tensor("y", kind)}
    return Graph("changed", tensors, (Node("n", op, ("x",), "y"),), ("x",), ("y",))


INT16 = TensorType((2,), "int16", (0.1,))

ILLEGAL = {
    "zero point": (changed(replace(INT16, zero_point=3), Reshape()), "int16 with zero point 3; it must be 0"),
    "mixed": (changed(replace(INT16, dtype="int8"), Reshape()), "mixes int16 and int8; requantize"),
    "no arithmetic": (changed(INT16, Relu()), r"n \(relu\) has no int16 arithmetic"),
    "border": (changed(replace(INT16, shape=(3,)), Pad((0, 1), value=-1.0)), "a border of -1.0; with int16"),
    "int4": (changed(replace(INT16, dtype="int4"), Reshape()), "activations are int8 or int16"),
}


@pytest.mark.parametrize("name", ILLEGAL)
def test_the_specification_refuses(name: str) -> None:
    graph, reason = ILLEGAL[name]
    with pytest.raises(SpecError, match=reason):
        check(graph, "integer")


@pytest.mark.parametrize("scale", [2.0**-12, 2.0**-11, 2.0**-13, 1e-4, 3.1e-4, 1.7e-3, 1e-2])
def test_interpolated_functions_are_close_to_the_real_ones(scale: float) -> None:
    x = ALL_CODES.double() * scale
    for found, real in (
        (sigmoid_int16(ALL_CODES, scale), torch.sigmoid(x)),
        (tanh_int16(ALL_CODES, scale), torch.tanh(x)),
    ):
        assert float((found / 32768 - real).abs().max()) < 3e-4  # a multiplier of 15 bits, rounded down


def test_a_huge_scale_saturates() -> None:
    out = Grid.of(torch.tensor(2.0**-15), 0, 16)
    found = Tanh().integer_meaning([Quantized(ALL_CODES, torch.tensor(100.0), 0, 16)], out)
    assert set(found[ALL_CODES.abs() > 2].abs().tolist()) <= {32767.0, 32768.0}

"""Recurrent layers: trained, pruned, saturated, in chains that share memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pintsize.arithmetic import dequantize, quantize
from pintsize.compress.prune import Prune
from pintsize.compress.quantize import Bits, Quantize, freeze
from pintsize.errors import SpecError, UserError
from pintsize.gates import SIGMOID_TABLE, sigmoid, tanh
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.module import GraphModule, run_float, run_integers
from pintsize.ops import Gru, Linear, Lstm, Svdf
from pintsize.spec import check
from pintsize.write.c import write
from tests.compiled import run_on_host
from tests.drawn import Sketch, draw_elementwise, draw_linear, draw_recurrent, random_codes
from tests.examples import constant


def layers(steps: int = 5, size: float = 0.5) -> Graph:
    """LSTM, GRU and SVDF behind one another, then a linear layer: (steps, 4) → (steps, 2)."""
    shapes = {
        "lw": (8, 4, 4), "lr": (8, 4, 8), "lb": (8, 4),
        "gw": (12, 3, 8), "gr": (12, 3, 12), "gb": (12, 3), "gd": (12, 3),
        "sw": (16, 12), "st": (16, 3), "sb": (8,), "w": (2, 8), "b": (2,),
    }  # fmt: skip
    rng = np.random.default_rng(0)
    constants = {n: constant(n, rng.normal(0, size, s)) for n, s in shapes.items()}
    nodes = [
        Node("lstm", Lstm(), ("x", "lw", "lr", "lb"), "lstm"),
        Node("gru", Gru(), ("lstm", "gw", "gr", "gb", "gd"), "gru"),
        Node("svdf", Svdf(2), ("gru", "sw", "st", "sb"), "svdf"),
        Node("linear", Linear(), ("svdf", "w", "b"), "linear"),
    ]
    x = Tensor("x", TensorType((steps, 4)))
    return rebuild(Graph("layers", {"x": x}, (), ("x",), ("linear",)), nodes, constants)


def samples(graph: Graph, count: int = 32) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 1, (count, *graph.type("x").shape)).astype(np.float32)


def assert_c_equals_python(graph: Graph, count: int = 10) -> None:
    codes = random_codes(graph, count)
    expected = run_integers(graph, codes).reshape(count, -1)
    for reuse in (False, True):
        assert np.array_equal(run_on_host(write(graph, reuse_io=reuse).files, codes), expected)


@pytest.mark.parametrize("fraction_bits", [5, 9, 11, 12, 13, 15])
def test_activations_are_near_the_real_functions(fraction_bits: int) -> None:
    x = torch.arange(-(2**15), 2**15)
    assert np.array_equal(SIGMOID_TABLE, np.sort(SIGMOID_TABLE))
    wanted = torch.tanh(x.double() / 2**fraction_bits)
    assert float((tanh(x, fraction_bits) / 2**15 - wanted).abs().max()) < 2.5 / 2**15
    assert float((sigmoid(x) / 2**15 - torch.sigmoid(x.double() / 2**12)).abs().max()) < 1.1 / 2**15


def test_integers_are_near_the_real_numbers() -> None:
    graph = layers(20)
    x = samples(graph)
    integers = Quantize()(graph, x)
    given, out = integers.type("x"), integers.type("linear")
    codes = run_integers(integers, quantize(x, given.scale[0], given.zero_point))
    real = run_float(graph, torch.from_numpy(x)).numpy()
    error = dequantize(codes, out.scale[0], out.zero_point) - real
    assert np.sqrt((error**2).mean()) < 0.05 * real.std()


def test_training_computes_the_integers_and_reaches_every_constant() -> None:
    graph = layers()
    x = samples(graph, 6)
    module = GraphModule(Quantize(weight_bits=8, layer_bits={"gru": 4}).annotate(graph, x))
    codes = module.forward_codes(torch.from_numpy(x))
    codes.square().sum().backward()
    gradients = {name: p.grad for name, p in module.named_parameters() if p.grad is not None}
    assert len(gradients) == len(list(module.parameters()))
    assert all(g.isfinite().all() for g in gradients.values())
    assert all(g.abs().max() > 0 for name, g in gradients.items() if name.startswith("values"))
    frozen = freeze(module.graph())
    given = frozen.type("x")
    expected = run_integers(frozen, quantize(x, given.scale[0], given.zero_point))
    assert np.array_equal(codes.detach().numpy(), expected)
    assert_c_equals_python(frozen)


def test_hidden_units_are_pruned() -> None:
    pruned = Prune(0.5)(layers())
    assert [pruned.type(n).shape[-1] for n in ("lstm", "gru", "svdf", "linear")] == [4, 8, 4, 2]
    assert pruned.type("gr").shape == (8, 3, 8)
    assert pruned.type("st").shape == (8, 3)
    assert_c_equals_python(Quantize()(pruned, samples(pruned)))


def test_a_slow_unit_of_a_gru_does_not_stand_still() -> None:
    """It moves by a tenth of an output step at a time."""
    shapes = {"w": (1, 3, 1), "r": (1, 3, 1), "b": (1, 3), "d": (1, 3)}
    numbers = {"w": [0, 0, 5.0], "r": [0, 0, 0], "b": [0, 7.0, 0], "d": [0, 0, 0]}
    constants = {n: constant(n, np.array(v, np.float32).reshape(shapes[n])) for n, v in numbers.items()}
    x = Tensor("x", TensorType((400, 1)))
    node = Node("y", Gru(), ("x", *shapes), "y")
    graph = rebuild(Graph("slow", {"x": x}, (), ("x",), ("y",)), [node], constants)
    given = np.ones((1, 400, 1), np.float32)
    integers = Quantize(calibration="min_max")(graph, given)
    codes = run_integers(integers, quantize(given, *_grid(integers, "x")))
    error = dequantize(codes, *_grid(integers, "y")) - run_float(graph, torch.from_numpy(given)).numpy()
    assert np.abs(error).max() < 0.05


def _grid(graph: Graph, name: str) -> tuple[float, int]:
    return graph.type(name).scale[0], graph.type(name).zero_point


def test_the_sum_of_an_svdf_saturates() -> None:
    graph = layers()
    svdf = rebuild(replace(graph, outputs=("svdf",)), graph.nodes[:3])
    integers = Quantize()(svdf, samples(svdf))
    time = np.full((16, 3), 32767, np.int16)
    time[::3] = -32767
    op = integers.nodes[2].op
    assert isinstance(op, Svdf)
    state = replace(integers.nodes[2], op=replace(op, state_scale=1e-6))
    loud = replace(integers, nodes=(*integers.nodes[:2], state))
    largest = np.float32(1e-6 * loud.type("st").scale[0] * 2**30)
    out = replace(
        loud.tensors["svdf"], type=replace(loud.type("svdf"), scale=(float(largest / 50),), zero_point=0)
    )
    loud = loud.with_tensors(replace(loud.tensors["st"], data=time), out)
    codes = random_codes(loud, 20)
    assert_c_equals_python(loud, 20)
    assert {-50, 50} <= set(run_integers(loud, codes).reshape(-1).tolist()) <= set(range(-50, 51))


def test_a_cell_and_a_memory_get_scales_that_hold_them() -> None:
    graph = layers(40, 2.0)
    integers = Quantize()(graph, 3 * samples(graph))
    lstm, _, svdf, _ = (n.op for n in integers.nodes)
    assert isinstance(lstm, Lstm)
    assert isinstance(svdf, Svdf)
    assert lstm.cell_exponent > -12
    assert svdf.state_scale != Svdf().state_scale


def test_shapes_that_do_not_fit() -> None:
    x, w, r, b = (TensorType(s) for s in ((5, 4), (8, 4, 4), (8, 4, 8), (8, 4)))
    with pytest.raises(ValueError, match=r"\(hidden, 4, 4\)"):
        Lstm().shape([x, r, w, b])
    with pytest.raises(ValueError, match=r"needs a sequence"):
        Lstm().shape([TensorType((1, 5, 4)), w, r, b])
    with pytest.raises(ValueError, match=r"2\^-15 to 2\^-4"):
        Lstm(-16).shape([x, w, r, b])
    with pytest.raises(ValueError, match=r"units · rank"):
        Svdf(3).shape([x, TensorType((8, 4)), TensorType((8, 2)), TensorType((4,))])


def test_illegal_integers_are_named() -> None:
    graph = layers()
    integers = Quantize()(graph, samples(graph))
    bias = integers.tensors["gd"]
    assert bias.data is not None
    heavy = integers.with_tensors(replace(bias, data=np.full_like(bias.data, 2**30)))
    with pytest.raises(SpecError, match="gru can overflow its accumulator"):
        check(heavy, "integer")
    weight = integers.tensors["lw"]
    coarse = integers.with_tensors(replace(weight, type=replace(weight.type, scale=(1e9,) * 4)))
    with pytest.raises(SpecError, match="lstm has weights too coarse"):
        check(coarse, "integer")


def test_an_input_too_large_for_any_gate() -> None:
    graph = layers()
    with pytest.raises(UserError, match="normalize it in the model"):
        Quantize()(graph, 1e12 * samples(graph))


@settings(max_examples=15)
@given(st.data())
def test_chains_of_layers(data: st.DataObject) -> None:
    """Also where input, output and what lies between share memory."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    shape = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 6))
    s = Sketch(data.draw, rng, {"x": shape})  # type: ignore[arg-type]
    draw_recurrent(s)
    for _ in range(data.draw(st.integers(0, 3))):
        data.draw(st.sampled_from([draw_recurrent, draw_linear, draw_elementwise]))(s)
    graph = Graph("chain", {"x": Tensor("x", TensorType(shape))}, (), ("x",), (s.last,))
    graph = rebuild(graph, s.nodes, s.constants)
    bits: dict[str, Bits] = {
        n.name: data.draw(st.sampled_from([8, 4, 2])) for n in s.nodes if n.op.activations == 1
    }
    assert_c_equals_python(Quantize(layer_bits=bits)(graph, samples(graph, 8)), 5)

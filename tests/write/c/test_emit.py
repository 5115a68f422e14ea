"""The written C computes the Graph's integers, everywhere, and compiles without a word."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pintsize.arithmetic import quantize
from pintsize.compress.quantize import Quantize, freeze
from pintsize.emulate import HostModel, compile_check, core, execute
from pintsize.emulate import build as build_for
from pintsize.errors import SpecError
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.module import GraphModule, run_integers
from pintsize.ops import Conv2d, Linear, Relu, Reshape, Softmax
from pintsize.write.c import write
from tests.compiled import FLAGS, ManyModels, host_compiler, run_on_host, sanitizing
from tests.drawn import Drawn, drawn_graphs, random_codes
from tests.every_kernel import every_kernel
from tests.examples import constant, example_integers, examples

GOLDEN = Path(__file__).parent / "golden"
CORES = ["cortex-m0", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33"]

WEIGHT_CODES = np.arange(-4, 4, dtype=np.int8).reshape(2, 2, 2, 1)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return every_kernel()


def with_self_test(graph: Graph, count: int = 4) -> dict[str, str]:
    codes = random_codes(graph, count)
    return write(graph, (codes, run_integers(graph, codes))).files


def flat(graph: Graph, codes: np.ndarray) -> np.ndarray:
    return run_integers(graph, codes).reshape(len(codes), -1)


# the same integers


def assert_host_and_module_agree(drawn: Drawn) -> None:
    module = drawn.module()
    graph = drawn.integers()
    kind = graph.type("x")
    own = quantize(drawn.samples, kind.scale[0], kind.zero_point)
    codes = np.concatenate([own, random_codes(graph, 12)])
    expected = flat(graph, codes)
    assert np.array_equal(run_on_host(write(graph).files, codes), expected)
    assert np.array_equal(trained(module, drawn.samples), expected[: len(own)])


def trained(module: GraphModule, samples: np.ndarray) -> np.ndarray:
    return module.forward_codes(torch.from_numpy(samples)).detach().numpy().reshape(len(samples), -1)


@settings(max_examples=40)
@given(drawn_graphs())
def test_training_reference_and_c_agree(drawn: Drawn) -> None:
    assert_host_and_module_agree(drawn)


@pytest.mark.long
@settings(max_examples=400)
@given(drawn_graphs(largest=12))
def test_training_reference_and_c_agree_on_many_graphs(drawn: Drawn) -> None:
    assert_host_and_module_agree(drawn)


def assert_cores_agree(drawn: list[Drawn], names: list[str]) -> None:
    graphs = [d.integers() for d in drawn]
    codes = [random_codes(g, 4) for g in graphs]
    models = ManyModels(graphs)
    for name in names:
        for g, x, y in zip(graphs, codes, models.run_on_core(core(name), codes), strict=True):
            assert np.array_equal(y, flat(g, x))


@settings(max_examples=2)
@given(st.lists(drawn_graphs(largest=6), min_size=5, max_size=5))
def test_cortex_m0_and_m4_agree(drawn: list[Drawn]) -> None:
    assert_cores_agree(drawn, ["cortex-m0", "cortex-m4"])


@pytest.mark.long
@settings(max_examples=10)
@given(st.lists(drawn_graphs(), min_size=8, max_size=8))
def test_every_emulated_core_agrees(drawn: list[Drawn]) -> None:
    assert_cores_agree(drawn, CORES)


@pytest.mark.parametrize("name", CORES)
def test_every_kernel_agrees_on_every_core(graph: Graph, name: str) -> None:
    codes = random_codes(graph, 6)
    program = build_for(write(graph).files, core(name))
    assert np.array_equal(execute(program, codes, count=False).outputs, flat(graph, codes))


def test_the_graph_of_every_kernel_has_every_kernel(graph: Graph) -> None:
    source = write(graph).files["model.c"]
    folder = files("pintsize.write.c") / "kernels"
    elsewhere = {"embedding.c"}  # ids are an input of their own: tests/ops/test_embedding.py
    elsewhere |= {"running_average.c", "slide.c"}  # of programs that remember: test_streams.py
    elsewhere |= {
        "biquad.c",
        "log_mel.c",
        "resample.c",
        "signal.c",
        "z_score.c",
    }  # of samples: test_signals.py
    for kernel in (f for f in folder.iterdir() if f.name.endswith(".c") and f.name not in elsewhere):
        assert kernel.read_text(encoding="utf-8") in source, kernel.name


# nothing undefined


def test_sanitizers_find_nothing(graph: Graph) -> None:
    codes = random_codes(graph, 60)
    with HostModel(write(graph).files, compiler=sanitizing(), sanitize=True) as model:
        assert np.array_equal(model.run(codes.reshape(len(codes), -1)), flat(graph, codes))


@settings(max_examples=2)
@given(st.lists(drawn_graphs(), min_size=5, max_size=5))
def test_sanitizers_find_nothing_in_drawn_graphs(drawn: list[Drawn]) -> None:
    models = ManyModels([d.integers() for d in drawn])
    codes = [random_codes(g, 20) for g in models.graphs]
    rows = [models.rows(i, x) for i, x in enumerate(codes)]
    with HostModel(
        models.files, compiler=sanitizing(), sanitize=True, optimize="-O1", sources=models.sources
    ) as model:
        outputs = model.run(np.concatenate(rows))
    for graph, x, y in zip(models.graphs, codes, np.split(outputs, len(codes)), strict=True):
        expected = flat(graph, x)
        assert np.array_equal(y[:, : expected.shape[1]], expected)


# no warnings


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_no_warning_from_the_hosts_compilers(graph: Graph, compiler: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    assert compile_check(with_self_test(graph), compiler, flags=FLAGS) == ""


@pytest.mark.parametrize("name", ["host", *CORES, "riscv32", "wasm32"])
def test_no_warning_from_zig(graph: Graph, name: str) -> None:
    assert compile_check(with_self_test(graph), "zig", core(name), FLAGS) == ""


@pytest.mark.parametrize(
    "name",
    ["add_0", "mul_0", "concat_0", "conv2d_0", "depthwise_conv2d_0", "softmax_0", "reshape_0", "relu_0"],
)
def test_no_warning_where_a_kernel_file_is_used_in_part(name: str) -> None:
    written = write(example_integers(examples()[name])).files
    for compiler in {"zig", host_compiler()}:
        assert compile_check(written, compiler, flags=FLAGS) == ""


def test_the_header_is_valid_cpp(graph: Graph) -> None:
    written = {
        **write(graph).files,
        "main.cpp": '#include "model.h"\nint main() { return model_quantize(0.5f); }\n',
    }
    assert compile_check(written, "zig", flags=("-Wall", "-Wextra", "-Werror"), sources=["main.cpp"]) == ""


# the text


def tiny() -> Graph:
    """A hand-written integer Graph: 2x2x1 → two 2x2 filters of 4-bit weights → 2 numbers → softmax."""
    int8 = {
        "x": ((2, 2, 1), 0.05, 3),
        "h": ((1, 1, 2), 0.1, -128),
        "f": ((2,), 0.1, -128),
        "y": ((2,), 0.5, 10),
    }
    tensors = {n: Tensor(n, TensorType(shape, "int8", (s,), z)) for n, (shape, s, z) in int8.items()}
    tensors["p"] = Tensor("p", TensorType((2,), "int8", (1 / 256,), -128))
    constants = [
        Tensor("w0", TensorType((2, 2, 2, 1), "int4", (0.5, 0.25), 0, 0), WEIGHT_CODES),
        Tensor("b0", TensorType((2,), "int32", (0.025, 0.0125), 0, 0), np.array([100, -7], np.int32)),
        Tensor("w1", TensorType((2, 2), "int8", (0.01, 0.02), 0, 0), np.array([[127, -3], [5, 0]], np.int8)),
        Tensor("b1", TensorType((2,), "int32", (0.001, 0.002), 0, 0), np.array([-1000, 2], np.int32)),
    ]
    nodes = (
        Node("conv", Conv2d(activation="relu"), ("x", "w0", "b0"), "h", "self.conv, model.py:12"),
        Node("flatten", Reshape(), ("h",), "f"),
        Node("linear", Linear(), ("f", "w1", "b1"), "y", "self.linear, model.py:14"),
        Node("softmax", Softmax(), ("y",), "p"),
    )
    tensors |= {t.name: t for t in constants}
    return Graph("tiny", tensors, nodes, ("x",), ("p",), ("cat", "dog"))


@pytest.mark.parametrize("name", ["model.c", "model.h", "model_weights.c", "main.c"])
def test_the_text_is_the_golden_one(name: str) -> None:
    """Where a change of the text is meant: delete the golden file, run this twice, and read the difference."""
    golden = GOLDEN / name.replace("model", "tiny").replace("main", "tiny_main")
    text = write(tiny()).files[name]
    if not golden.exists():
        golden.write_text(text, encoding="utf-8")
        pytest.fail(f"{golden.name} was missing and has been written: read it")
    assert text == golden.read_text(encoding="utf-8")


def test_writing_twice_gives_the_same_files(graph: Graph) -> None:
    assert with_self_test(graph) == with_self_test(every_kernel())


def test_narrow_weights_are_packed() -> None:
    """Every tap has one 4-bit weight, in the low half of its byte."""
    assert (
        "layer_00_conv2d_weight[8] = {\n    12, 13, 14, 15, 0, 1, 2, 3\n}"
        in write(tiny()).files["model_weights.c"]
    )


def test_the_constants_bytes_are_those_of_the_arrays(graph: Graph) -> None:
    program = write(graph)
    arrays = re.findall(r"const (int\d+)_t model_layer_\w+\[(\d+)\]", program.files["model_weights.c"])
    assert sum(int(size) * {"int8": 1, "int16": 2, "int32": 4}[kind] for kind, size in arrays) == sum(
        program.constant_bytes
    )


HOSTILE = [
    "a*/b",
    "/*",
    "*\\/",
    "/*/",
    "**//",
    "line\nbreak",
    "back\\slash\\",
    "wh??/\n",
    "ünïcode",
    "100% {brace} %d",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_names_from_the_users_model_cannot_leave_their_comment(text: str) -> None:
    plain = tiny()
    nodes = (replace(plain.nodes[0], name=text, source=text), *plain.nodes[1:])
    hostile = replace(plain, name=text, nodes=nodes, labels=(text, text))
    codes = random_codes(plain, 5)
    written = write(hostile).files
    assert compile_check(written, host_compiler(), flags=FLAGS) == ""
    assert np.array_equal(run_on_host(written, codes), flat(plain, codes))


def test_two_models_live_in_one_program(graph: Graph) -> None:
    models = ManyModels([tiny(), graph, tiny()])
    codes = [random_codes(g, 5, seed=i) for i, g in enumerate(models.graphs)]
    rows = np.concatenate([models.rows(i, x) for i, x in enumerate(codes)])
    with HostModel(models.files, compiler=host_compiler(), sources=models.sources) as model:
        outputs = np.split(model.run(rows), 3)
    for g, x, y in zip(models.graphs, codes, outputs, strict=True):
        expected = flat(g, x)
        assert np.array_equal(y[:, : expected.shape[1]], expected)


def test_layers_of_one_shape_share_their_code() -> None:
    """The same literals, other weights: one function, and the integers stay right."""
    rng = np.random.default_rng(0)
    names = [f"{part}{i}" for i in range(3) for part in "wb"]
    constants = {n: constant(n, rng.normal(0, 0.5, (6, 6) if n[0] == "w" else 6)) for n in names}
    nodes = [Node(f"l{i}", Linear(), (f"h{i}", f"w{i}", f"b{i}"), f"h{i + 1}") for i in range(3)]
    floats = rebuild(
        Graph("g", {"h0": Tensor("h0", TensorType((6,)))}, (), ("h0",), ("h3",)), nodes, constants
    )
    annotated = Quantize().annotate(floats, rng.normal(0, 1, (50, 6)).astype(np.float32))
    zeroed = [
        replace(t, type=replace(t.type, zero_point=-5))
        for t in annotated.tensors.values()
        if not t.is_constant
    ]
    graph = freeze(annotated.with_tensors(*zeroed))
    written, codes = write(graph).files, random_codes(graph, 20)
    assert "void shared_00_linear(" in written["model.c"]
    assert np.array_equal(run_on_host(written, codes), flat(graph, codes))


def test_an_illegal_graph_is_not_written() -> None:
    tensors = {n: Tensor(n, TensorType((2,))) for n in "xy"}
    with pytest.raises(SpecError, match="x has no scale"):
        write(Graph("float", tensors, (Node("relu", Relu(), ("x",), "y"),), ("x",), ("y",)))


def test_the_input_is_left_as_it_is(graph: Graph) -> None:
    codes = random_codes(graph, 3).reshape(3, -1)
    before = codes.copy()
    with HostModel(write(graph).files, compiler=host_compiler(), optimize="-O1") as model:
        first, again = model.run(codes), model.run(codes)
    assert np.array_equal(codes, before)
    assert np.array_equal(first, again)

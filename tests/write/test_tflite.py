"""Written .tflite files: TFLite Micro computes their integers bit for bit, LiteRT nearly; the bytes never change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings

from pintsize.compress.quantize import Quantize
from pintsize.errors import UnsupportedOp
from pintsize.graph import Graph, Node, Tensor, TensorType
from pintsize.module import run_float, run_integers
from pintsize.ops import Conv2d, DepthwiseConv2d, HardSwish, LeakyRelu, Linear, Op, Relu, Relu6, Sigmoid, Tanh
from pintsize.read.tflite import read_tflite
from pintsize.write.tflite import drafted, write_tflite
from tests.drawn import Drawn, drawn_graphs, random_codes
from tests.examples import example_graph, example_integers, examples

pytest.importorskip("tflite", reason="needs the tflite schema bindings")

#: no int8 kernel in TFLite Micro
LITERT_ONLY = ("neg", "square", "sqrt", "exp", "gelu")


def written(integers: bool) -> dict[str, tuple[Graph, bytes]]:
    """The examples that .tflite can say."""
    found: dict[str, tuple[Graph, bytes]] = {}
    for name, example in examples().items():
        if integers and name.startswith("batch_norm"):
            continue
        graph = example_integers(example) if integers else example_graph(example)
        try:
            found[name] = graph, write_tflite(graph)
        except UnsupportedOp:
            continue
    return found


def of_tflm(data: bytes, inputs: np.ndarray) -> np.ndarray:
    """Outputs of TFLite Micro, states at zero before each input; indices as codes."""
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="needs tflite-micro")
    interpreter = runtime.Interpreter.from_bytes(data)
    outputs: list[np.ndarray] = []
    for row in inputs:
        interpreter.reset()
        interpreter.set_input(row[None], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0).copy())
    found = np.concatenate(outputs)
    return found - 128 if found.dtype == np.int32 else found


def of_litert(data: bytes, inputs: np.ndarray) -> np.ndarray:
    litert: Any = pytest.importorskip("ai_edge_litert.interpreter", reason="needs ai-edge-litert")
    interpreter = litert.Interpreter(model_content=data)
    interpreter.allocate_tensors()
    (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
    outputs: list[np.ndarray] = []
    for row in inputs:
        interpreter.reset_all_variables()
        interpreter.set_tensor(source["index"], row[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(sink["index"]).copy())
    found = np.concatenate(outputs)
    return found - 128 if found.dtype == np.int32 else found


INTEGERS, REALS = written(integers=True), written(integers=False)
ON_TFLM = sorted(name for name in INTEGERS if not name.startswith(LITERT_ONLY))


@pytest.mark.parametrize("name", ON_TFLM)
def test_tflite_micro_computes_the_same_integers(name: str) -> None:
    graph, data = INTEGERS[name]
    codes = random_codes(graph, 40)
    expected = run_integers(graph, codes)
    assert np.array_equal(of_tflm(data, codes).reshape(expected.shape), expected)


@pytest.mark.parametrize("name", sorted(set(REALS) - {n for n in REALS if n.startswith("gelu")}))
def test_tflite_micro_computes_the_same_real_numbers(name: str) -> None:
    graph, data = REALS[name]
    x = np.random.default_rng(0).uniform(0.1, 2, (5, *graph.type(graph.inputs[0]).shape)).astype(np.float32)
    expected = run_float(graph, torch.from_numpy(x)).numpy()
    found = of_tflm(data, x).reshape(expected.shape).astype(np.float32)
    if name.startswith("argmax"):
        found = found + 128
    assert np.allclose(found, expected, rtol=1e-3, atol=1e-4)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn_graphs())
def test_tflite_micro_computes_drawn_graphs(drawn: Drawn) -> None:
    graph = drawn.integers()
    assume(not any(node.op.name in LITERT_ONLY for node in graph.nodes))
    try:
        data = write_tflite(graph)
    except UnsupportedOp:
        assume(False)
    codes = random_codes(graph, 10)
    expected = run_integers(graph, codes)
    assert np.array_equal(of_tflm(data, codes).reshape(expected.shape), expected)
    assert np.array_equal(run_integers(read_tflite(data), codes).reshape(expected.shape), expected)


def test_litert_is_a_code_away_at_most() -> None:
    """Of one op: it rounds in floating point, or once."""
    differing, total = 0, 0
    for name in (
        "conv2d_1",
        "depthwise_conv2d_0",
        "linear_0",
        "add_0",
        "mul_0",
        "average_pool2d_0",
        "softmax_0",
    ):
        graph, data = INTEGERS[name]
        codes = random_codes(graph, 40)
        expected = run_integers(graph, codes)
        off = np.abs(of_litert(data, codes).reshape(expected.shape).astype(int) - expected)
        assert off.max() <= 1, name
        differing, total = differing + int((off > 0).sum()), total + off.size
    assert differing / total < 0.05


def test_litert_runs_what_tflite_micro_has_no_kernel_for() -> None:
    for name in [n for n in REALS if n.startswith(LITERT_ONLY)]:
        graph, data = REALS[name]
        x = np.random.default_rng(0).uniform(0.1, 2, (5, *graph.type("x").shape)).astype(np.float32)
        assert np.allclose(
            of_litert(data, x), run_float(graph, torch.from_numpy(x)).numpy(), rtol=1e-3, atol=1e-4
        )


@pytest.mark.parametrize(
    "op", [Sigmoid(), Tanh(), Relu(), Relu6(), HardSwish(), LeakyRelu(0.1), LeakyRelu(-0.3)]
)
def test_functions_of_all_codes_on_many_grids(op: Op) -> None:
    rng, codes = np.random.default_rng(0), np.arange(-128, 128).astype(np.int8)[None]
    for _ in range(12):
        scale = float(np.float32(10 ** rng.uniform(-2.5, 0)))
        grid = op.fixed_output() or (
            float(np.float32(scale * rng.uniform(0.4, 2))),
            int(rng.integers(-128, 128)),
        )
        x = TensorType((256,), "int8", (scale,), int(rng.integers(-128, 128)))
        y = TensorType((256,), "int8", (grid[0],), grid[1])
        graph = Graph(
            "g", {"x": Tensor("x", x), "y": Tensor("y", y)}, (Node("y", op, ("x",), "y"),), ("x",), ("y",)
        )
        assert np.array_equal(of_tflm(write_tflite(graph), codes), run_integers(graph, codes))


def four_bit(op: Op, shape: tuple[int, ...], scales: int) -> Graph:
    """A layer of 4-bit weights with one scale, or one per output."""
    rng = np.random.default_rng(0)
    axis = 2 if isinstance(op, DepthwiseConv2d) else 0
    image = (3, 3, 4) if len(shape) > 2 else (shape[1],)
    grid = tuple(float(np.float32(s)) for s in rng.uniform(0.01, 0.05, scales))
    tensors = [
        Tensor("x", TensorType(image, "int8", (0.0625,), 3)),
        Tensor("w", TensorType(shape, "int4", grid, 0, axis), rng.integers(-7, 8, shape).astype(np.int8)),
        Tensor("b", TensorType((4,), "int32", tuple(s * 0.0625 for s in grid), 0, 0), np.arange(4, dtype="i4") * 40),
        Tensor("y", TensorType((*image[:-1], 4), "int8", (0.125,), -3)),
    ]  # fmt: skip
    return Graph("four", {t.name: t for t in tensors}, (Node("y", op, ("x", "w", "b"), "y"),), ("x",), ("y",))


@pytest.mark.parametrize("scales", [1, 4])
@pytest.mark.parametrize(
    ("op", "shape"),
    [
        (Conv2d(padding=(1, 1, 1, 1)), (4, 3, 3, 4)),
        (DepthwiseConv2d(padding=(1, 1, 1, 1)), (3, 3, 4)),
        (Linear(), (4, 7)),
    ],
    ids=["conv2d", "depthwise_conv2d", "linear"],
)
def test_weights_of_four_bits(op: Op, shape: tuple[int, ...], scales: int) -> None:
    graph = four_bit(op, shape, scales)
    stays_packed = not isinstance(op, Linear) or scales == 1
    assert ("INT4" in {t.dtype for t in drafted(graph).tensors}) == stays_packed
    codes = random_codes(graph, 20)
    assert np.array_equal(of_tflm(write_tflite(graph), codes), run_integers(graph, codes))
    assert np.array_equal(run_integers(read_tflite(write_tflite(graph)), codes), run_integers(graph, codes))


def test_the_same_graph_gives_the_same_bytes() -> None:
    for name in ("conv2d_1", "lstm_0", "pad_2"):
        graph, data = INTEGERS[name]
        assert write_tflite(graph) == data
        assert write_tflite(example_integers(examples()[name])) == data


def test_all_that_cannot_be_written_is_named() -> None:
    graph = example_graph(examples()["pad_4"])
    again = replace(graph, nodes=(*graph.nodes, Node("z", graph.nodes[-1].op, ("y",), "z")), outputs=("z",))
    again = again.with_tensors(Tensor("z", TensorType(graph.nodes[-1].op.shape([graph.type("y")]))))
    with pytest.raises(UnsupportedOp, match=r"(?s)y \(pad\).*z \(pad\)"):
        write_tflite(again)


def test_buffers_lie_where_they_can_be_read_in_place() -> None:
    tflite = pytest.importorskip("tflite")
    data = INTEGERS["conv2d_1"][1]
    model = tflite.Model.GetRootAs(data, 0)
    starts = [model.Buffers(i)._tab for i in range(1, model.BuffersLength())]
    assert starts
    assert all(table.Vector(table.Offset(4)) % 16 == 0 for table in starts)


def test_a_quantized_network_of_many_ops() -> None:
    """Padding that is neither SAME nor VALID, ReLU6 across grids, a concatenation of unequal grids."""
    graph = example_graph(examples()["depthwise_conv2d_1"])
    samples = np.random.default_rng(0).normal(0, 3, (16, *graph.type("x").shape)).astype(np.float32)
    relu = Node("z", Relu6(), ("y",), "z")
    longer = replace(graph, nodes=(*graph.nodes, relu), outputs=("z",))
    longer = longer.with_tensors(Tensor("z", TensorType(graph.type("y").shape)))
    integers = Quantize()(longer, samples)
    codes = random_codes(integers, 20)
    assert np.array_equal(of_tflm(write_tflite(integers), codes), run_integers(integers, codes))

"""Cast of ONNX: of real numbers, of an index, of codes, and of the input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from pintsize.arithmetic import dequantize
from pintsize.errors import UnsupportedOp
from pintsize.graph import Graph
from pintsize.module import run_float, run_integers
from pintsize.ops import Argmax, Relu, Requantize, Sigmoid
from pintsize.read.onnx import read_onnx
from tests.onnx_models import build, onnx, run, typed

node = onnx.helper.make_node
FLOAT, UINT8, INT8, INT32, INT64, BOOL, FLOAT16, DOUBLE = 1, 2, 3, 6, 7, 9, 10, 11


def cast(x: str, y: str, to: int) -> object:
    return node("Cast", [x], [y], to=to, name=f"to_{y}")


def graph_of(nodes: list[object], kind: int = FLOAT, **constants: Any) -> Graph:
    return read_onnx(build(nodes, ("n", 4), constants, kind=kind)).graph


@pytest.mark.parametrize("kind", [FLOAT, FLOAT16, DOUBLE])
def test_between_real_numbers_it_is_nothing(kind: int) -> None:
    graph = graph_of([node("Relu", ["x"], ["a"]), cast("a", "b", kind), cast("b", "y", FLOAT)])
    assert [n.op for n in graph.nodes] == [Relu()]


@pytest.mark.parametrize("kind", [INT32, INT64, FLOAT])
def test_of_an_index_it_is_nothing(kind: int) -> None:
    model = build([node("ArgMax", ["x"], ["a"], axis=1), cast("a", "y", kind)], ("n", 4))
    graph, x = read_onnx(model).graph, np.random.default_rng(0).normal(0, 1, (9, 4)).astype(np.float32)
    assert [type(n.op) for n in graph.nodes] == [Argmax]
    assert np.array_equal(run_float(graph, torch.from_numpy(x)).numpy(), run(typed(model), x))


@pytest.mark.parametrize("kind", [INT32, INT64, UINT8, BOOL])
def test_real_numbers_are_not_cut_off(kind: int) -> None:
    with pytest.raises(UnsupportedOp, match="to_a: it casts to whole numbers"):
        graph_of([cast("x", "a", kind), cast("a", "b", FLOAT), node("Relu", ["b"], ["y"])])


def test_an_index_is_no_truth_value() -> None:
    with pytest.raises(UnsupportedOp, match="it casts to whole numbers"):
        graph_of([node("ArgMax", ["x"], ["a"], axis=1), cast("a", "y", BOOL)])


@pytest.mark.parametrize("kind", [UINT8, INT8, INT32, INT64, FLOAT16])
def test_an_input_that_is_cast_first_is_of_real_numbers(kind: int) -> None:
    graph = graph_of([cast("x", "a", FLOAT), node("Relu", ["a"], ["y"])], kind)
    assert [n.op for n in graph.nodes] == [Relu()]
    assert not graph.type("x").is_quantized


def test_an_input_that_is_cast_and_quantized() -> None:
    nodes = [
        cast("x", "a", FLOAT), node("QuantizeLinear", ["a", "s", "z"], ["q"]),
        node("DequantizeLinear", ["q", "s", "z"], ["d"]), node("Sigmoid", ["d"], ["g"]),
        node("QuantizeLinear", ["g", "t", "z"], ["p"]), node("DequantizeLinear", ["p", "t", "z"], ["y"]),
    ]  # fmt: skip
    graph = graph_of(nodes, UINT8, s=np.float32(0.5), z=np.uint8(0), t=np.float32(2**-8))
    assert [n.op for n in graph.nodes] == [Sigmoid()]
    assert (graph.type("x").scale, graph.type("x").zero_point) == ((0.5,), -128)


def of_codes(zero_point: np.generic, scale: float = 1.0, to: int = FLOAT) -> list[object]:
    """Codes that a Cast takes for numbers, quantized again."""
    return [
        node("QuantizeLinear", ["x", "s", "z"], ["q"]), cast("q", "a", to),
        node("QuantizeLinear", ["a", "t", "z"], ["p"]), node("DequantizeLinear", ["p", "t", "z"], ["y"]),
    ]  # fmt: skip


@pytest.mark.parametrize("zero_point", [np.uint8(0), np.int8(0)])
def test_codes_that_stand_for_themselves(zero_point: np.generic) -> None:
    constants = {"s": np.float32(1), "z": np.asarray(zero_point), "t": np.float32(1.7)}
    model = build(of_codes(zero_point), ("n", 4), constants)
    graph = read_onnx(model).graph
    assert [n.op for n in graph.nodes] == [Requantize()]
    codes = np.arange(-128, 128).astype(np.int8).reshape(64, 4)
    x, y = graph.type(graph.inputs[0]), graph.type(graph.outputs[0])
    found = dequantize(run_integers(graph, codes), y.scale[0], y.zero_point)
    expected = run(typed(model), dequantize(codes, 1.0, x.zero_point))
    assert np.abs(found - expected).max() < 1.01 * y.scale[0]  # one step: rounded once there, twice here


def test_codes_of_a_scale_are_no_numbers() -> None:
    with pytest.raises(UnsupportedOp, match="put a DequantizeLinear there"):
        graph_of(of_codes(np.uint8(0)), s=np.float32(0.5), z=np.uint8(0), t=np.float32(1.7))


def test_codes_of_another_kind() -> None:
    with pytest.raises(UnsupportedOp, match="another kind of whole numbers"):
        graph_of(of_codes(np.uint8(0), to=INT8), s=np.float32(1), z=np.uint8(0), t=np.float32(1.7))


def test_codes_of_the_same_kind() -> None:
    nodes = [
        node("QuantizeLinear", ["x", "s", "z"], ["q"]), cast("q", "a", UINT8),
        node("DequantizeLinear", ["a", "s", "z"], ["d"]), node("Relu", ["d"], ["r"]),
        node("QuantizeLinear", ["r", "s", "z"], ["p"]), node("DequantizeLinear", ["p", "s", "z"], ["y"]),
    ]  # fmt: skip
    graph = graph_of(nodes, s=np.float32(0.5), z=np.uint8(100))
    assert [n.op for n in graph.nodes] == [Relu()]


@pytest.mark.parametrize("kind", [UINT8, INT8])
def test_an_input_in_codes_that_is_cast_and_read_as_codes(kind: int) -> None:
    zero = np.uint8(0) if kind == UINT8 else np.int8(0)
    nodes = [
        cast("x", "a", FLOAT), node("DequantizeLinear", ["x", "s", "z"], ["d"]), node("Add", ["a", "d"], ["e"]),
        node("QuantizeLinear", ["e", "t", "z"], ["p"]), node("DequantizeLinear", ["p", "t", "z"], ["y"]),
    ]  # fmt: skip
    graph = graph_of(nodes, kind, s=np.float32(1), z=zero, t=np.float32(2))
    assert (graph.type("x").scale, graph.type("x").zero_point) == ((1.0,), -128 if kind == UINT8 else 0)

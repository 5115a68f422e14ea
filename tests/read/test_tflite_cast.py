"""CAST, QUANTIZE and DEQUANTIZE of .tflite: at the borders, inside a model, and what has no meaning on codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from pintsize.errors import ModelError, SpecError, UnsupportedOp
from pintsize.graph import Graph, Node, Tensor, TensorType
from pintsize.module import run_float, run_integers
from pintsize.ops import Mul, Relu, Requantize, Sigmoid
from pintsize.read.tflite import read_tflite
from pintsize.spec import check
from pintsize.write.c import write
from pintsize.write.tflite import write_tflite
from pintsize.write.tflite.flat import FlatOperator, FlatTensor, flatbuffer
from tests.compiled import run_on_host

pytest.importorskip("tflite", reason="needs the tflite schema bindings")

EVERY_CODE = np.arange(-128, 128).astype(np.int8).reshape(64, 4)


def int8(name: str, scale: float = 1.0, zero_point: int = 0) -> FlatTensor:
    return FlatTensor(name, (1, 4), "INT8", (scale,), zero_point)


def int16(name: str, scale: float = 1.0) -> FlatTensor:
    return FlatTensor(name, (1, 4), "INT16", (scale,))


def real(name: str, dtype: str = "FLOAT32") -> FlatTensor:
    return FlatTensor(name, (1, 4), dtype)


def op(code: str, x: int, y: int) -> FlatOperator:
    return FlatOperator(code, (x,), (y,), "CastOptions" if code == "CAST" else "")


def chain(tensors: Sequence[FlatTensor], *codes: str) -> bytes:
    """A model of operators behind one another: the tensors in order, from input to output."""
    operators = [op(code, i, i + 1) for i, code in enumerate(codes)]
    return flatbuffer(tensors, operators, [0], [len(codes)], "test")


def of_tflm(data: bytes, rows: np.ndarray) -> np.ndarray:
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="needs tflite-micro")
    interpreter = runtime.Interpreter.from_bytes(data)
    outputs: list[np.ndarray] = []
    for row in rows:
        interpreter.set_input(row[None], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0)[0].copy())
    return np.stack(outputs)


INSIDE = {
    "the same codes": ([int8("x"), int8("a"), int8("b"), int8("y")], ("RELU", "CAST", "RELU"), 2),
    "wider codes": (
        [int8("x", 0.01), int8("a", 0.01), int16("b", 0.01), int16("y", 2.0**-15)], ("RELU", "CAST", "TANH"), 3,
    ),
    "whole numbers and back": (
        [int8("x"), int8("a"), real("b"), int8("c"), int8("y")], ("RELU", "CAST", "CAST", "RELU"), 2,
    ),
    "whole numbers, wider": (
        [int8("x"), int8("a"), real("b"), int16("c"), int16("y")], ("RELU", "CAST", "CAST", "QUANTIZE"), 3,
    ),
    "codes as real numbers": (
        [int8("x"), int8("a"), real("b"), int8("y", 0.7, 3)], ("RELU", "CAST", "QUANTIZE"), 2,
    ),
    "codes as real numbers, ties": (
        [int8("x"), int8("a"), real("b"), int8("y", 2.0, 3)], ("RELU", "CAST", "QUANTIZE"), 2,
    ),
    "through real numbers": (
        [int8("x", 0.1, 5), int8("a", 0.1, 5), real("b"), int8("c", 0.37, -20), int8("y", 0.37, -20)],
        ("RELU", "DEQUANTIZE", "QUANTIZE", "RELU"), 3,
    ),
    "through real numbers of two casts": (
        [int8("x", 0.1, 5), int8("a", 0.1, 5), real("b"), real("c"), int8("y", 0.2, 5)],
        ("RELU", "DEQUANTIZE", "CAST", "QUANTIZE"), 2,
    ),
    "through real numbers and nothing": (
        [int8("x", 0.3, 5), int8("a", 0.3, 5), real("b"), int8("c", 0.3, 5), int8("y", 0.3, 5)],
        ("RELU", "DEQUANTIZE", "QUANTIZE", "RELU"), 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", INSIDE)
def test_inside_a_model_as_tflite_micro_computes_it(name: str) -> None:
    tensors, codes, nodes = INSIDE[name]
    data = chain(tensors, *codes)
    graph, expected = read_tflite(data), of_tflm(data, EVERY_CODE)
    assert len(graph.nodes) == nodes
    assert np.array_equal(run_integers(graph, EVERY_CODE), expected)
    assert np.array_equal(run_on_host(write(graph).files, EVERY_CODE).view(expected.dtype), expected)
    again = write_tflite(graph)
    assert np.array_equal(of_tflm(again, EVERY_CODE), expected)
    assert np.array_equal(run_integers(read_tflite(again), EVERY_CODE), expected)


@pytest.mark.parametrize("seed", range(8))
def test_any_two_grids_through_real_numbers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before, after = rng.uniform(0.001, 3, 2).astype(np.float32).tolist()
    zero_points = rng.integers(-128, 128, 2).tolist()
    tensors = [
        int8("x", before, zero_points[0]), int8("a", before, zero_points[0]), real("b"),
        int8("y", after, zero_points[1]),
    ]  # fmt: skip
    data = chain(tensors, "RELU", "DEQUANTIZE", "QUANTIZE")
    assert np.array_equal(run_integers(read_tflite(data), EVERY_CODE), of_tflm(data, EVERY_CODE))


def test_an_input_cast_and_then_quantized() -> None:
    """What comes of an image of uint8 in a quantized model: the caller does both."""
    tensors = [FlatTensor("in", (1, 4), "UINT8"), real("a"), int8("b", 0.5, -7), int8("y", 2.0**-8, -128)]
    graph = read_tflite(chain(tensors, "CAST", "QUANTIZE", "LOGISTIC"))
    assert [n.op for n in graph.nodes] == [Sigmoid()]
    assert graph.type(graph.inputs[0]) == TensorType((4,), "int8", (0.5,), -7)


def test_casts_at_the_borders_are_left_out() -> None:
    tensors = [FlatTensor("in", (1, 4), "UINT8"), real("x"), real("y"), real("out", "INT32")]
    graph = read_tflite(chain(tensors, "CAST", "LOGISTIC", "CAST"))
    assert [n.op for n in graph.nodes] == [Sigmoid()]
    assert graph.type(graph.inputs[0]) == TensorType((4,))


def test_an_output_dequantized_and_then_cast() -> None:
    tensors = [int8("x", 0.5), int8("a", 2.0**-8, -128), real("b"), real("y", "INT32")]
    graph = read_tflite(chain(tensors, "LOGISTIC", "DEQUANTIZE", "CAST"))
    assert [n.op for n in graph.nodes] == [Sigmoid()]


def test_casts_between_real_numbers_are_nothing() -> None:
    tensors = [real("x"), real("a"), real("b", "FLOAT16"), real("c"), real("y")]
    graph = read_tflite(chain(tensors, "RELU", "CAST", "CAST", "LOGISTIC"))
    assert [n.op for n in graph.nodes] == [Relu(), Sigmoid()]


@pytest.mark.parametrize("kind", ["INT8", "FLOAT32"])
@pytest.mark.parametrize("wanted", ["INT64", "FLOAT32"])
def test_an_index_cast_at_the_output(kind: str, wanted: str) -> None:
    scales = (0.1,) if kind == "INT8" else ()
    axis = FlatTensor("axis", (1,), "INT32", data=np.array([1], "<i4").tobytes())
    tensors = [
        FlatTensor("x", (1, 4), kind, scales), FlatTensor("a", (1,), "INT32"), FlatTensor("y", (1,), wanted), axis,
    ]  # fmt: skip
    operators = [FlatOperator("ARG_MAX", (0, 3), (1,), "ArgMaxOptions", {"OutputType": 2}), op("CAST", 1, 2)]
    graph = read_tflite(flatbuffer(tensors, operators, [0], [2], "test"))
    assert [n.op.name for n in graph.nodes] == ["argmax"]


def test_an_index_as_codes() -> None:
    axis = FlatTensor("axis", (1,), "INT32", data=np.array([1], "<i4").tobytes())
    tensors = [
        int8("x", 0.1), FlatTensor("a", (1,), "INT32"), FlatTensor("b", (1,), "FLOAT32"),
        FlatTensor("y", (1,), "INT8", (0.5,), -5), axis,
    ]  # fmt: skip
    operators = [
        FlatOperator("ARG_MAX", (0, 4), (1,), "ArgMaxOptions", {"OutputType": 2}), op("CAST", 1, 2),
        op("QUANTIZE", 2, 3),
    ]  # fmt: skip
    data = flatbuffer(tensors, operators, [0], [3], "test")
    codes = np.random.default_rng(0).integers(-128, 128, (30, 4)).astype(np.int8)
    found = run_integers(read_tflite(data), codes)
    assert np.array_equal(found.reshape(-1), 2 * codes.argmax(1) - 5)
    assert np.array_equal(found.reshape(-1), of_tflm(data, codes).reshape(-1))


def test_a_constant_that_is_cast() -> None:
    half = FlatTensor("c", (4,), "FLOAT16", data=np.array([0.5, 1, 2, -4], "<f2").tobytes())
    tensors = [real("x"), real("y"), half, FlatTensor("d", (4,), "FLOAT32")]
    operators = [op("CAST", 2, 3), FlatOperator("MUL", (0, 3), (1,), "MulOptions")]
    graph = read_tflite(flatbuffer(tensors, operators, [0], [1], "test"))
    assert [n.op for n in graph.nodes] == [Mul()]
    assert run_float(graph, torch.ones(1, 4)).tolist() == [[0.5, 1, 2, -4]]


def test_a_constant_that_does_not_fit_what_it_is_cast_to() -> None:
    large = FlatTensor("c", (4,), "FLOAT32", data=np.array([0.5, np.nan, 300, 0], "<f4").tobytes())
    tensors = [int8("x"), int8("y"), large, FlatTensor("d", (4,), "INT8", (1.0,))]
    operators = [op("CAST", 2, 3), FlatOperator("MUL", (0, 3), (1,), "MulOptions")]
    with pytest.raises(ModelError, match="numbers that INT8 does not"):
        read_tflite(flatbuffer(tensors, operators, [0], [1], "test"))


REFUSED = {
    "codes of a scale as numbers": (
        [int8("x", 0.5), int8("a", 0.5), real("b"), int8("y")], ("RELU", "CAST", "QUANTIZE"), "it leaves both out",
    ),
    "another grid": ([int8("x"), int8("a"), int8("b", 0.5), int8("y", 0.5)], ("RELU", "CAST", "RELU"), "keeps codes"),
    "narrower codes": ([int16("x"), int16("a"), int8("b"), int8("y")], ("RESHAPE", "CAST", "RELU"), "keeps codes"),
    "numbers cut off": (
        [int8("x", 0.5), int8("a", 0.5), real("b"), int8("c"), int8("y")], ("RELU", "DEQUANTIZE", "CAST", "RELU"),
        "cuts off and wraps",
    ),
    "computed with": (
        [int8("x"), int8("a"), real("b"), real("c"), int8("y")], ("RELU", "DEQUANTIZE", "RELU", "QUANTIZE"),
        "inside the model, before RELU",
    ),
    "truth": ([real("x"), real("a"), real("b", "BOOL"), real("y")], ("RELU", "CAST", "CAST"), "from FLOAT32 to BOOL"),
    "whole numbers of real ones": (
        [real("x"), real("a"), real("b", "INT32"), real("c"), real("y")], ("RELU", "CAST", "CAST", "RELU"),
        "behind the point",
    ),
    "unsigned": (
        [int8("x"), int8("a"), replace(int8("b", 1.0, 128), dtype="UINT8"), int8("y")],
        ("RELU", "QUANTIZE", "QUANTIZE"), "from INT8 to UINT8",
    ),
    "real numbers as codes of another width": (
        [int8("x", 0.3), int8("a", 0.3), real("b"), int16("c", 0.7), int16("y", 0.7)],
        ("RELU", "DEQUANTIZE", "QUANTIZE", "CAST"), "come out otherwise",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_meaning_on_codes_is_refused(name: str) -> None:
    tensors, codes, reason = REFUSED[name]
    with pytest.raises(UnsupportedOp, match=reason):
        read_tflite(chain(tensors, *codes))


def test_a_circle_of_conversions() -> None:
    tensors = [real("x"), real("a"), real("b"), real("y")]
    circle = [op("CAST", 0, 1), op("CAST", 1, 2), op("CAST", 2, 1)]
    with pytest.raises(ModelError, match="in a circle"):
        read_tflite(flatbuffer(tensors, circle, [0], [3], "test"))


def test_rounding_once_is_from_int8_to_int8_alone() -> None:
    kinds = {"x": TensorType((2,), "int8", (0.1,)), "y": TensorType((2,), "int16", (0.1,))}
    for names, reason in ((("x", "y"), "rounds once"), (("y", "x"), "from int8 to int8 alone")):
        tensors = {n: Tensor(n, kinds[n]) for n in names}
        graph = Graph(
            "once", tensors, (Node("n", Requantize(True), names[:1], names[1]),), names[:1], names[1:]
        )
        with pytest.raises(SpecError, match=reason):
            check(graph, "integer")

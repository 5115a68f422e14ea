"""Recurrent layers give the integers of TFLite Micro, bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from pintsize.compress.quantize import Quantize
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.module import run_integers
from pintsize.ops import Lstm, Svdf
from pintsize.write.c import write
from tests.compiled import run_on_host
from tests.examples import constant

tflite = pytest.importorskip("tflite", reason="needs the tflite schema bindings")
flatbuffers = pytest.importorskip("flatbuffers", reason="needs flatbuffers")
runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="needs tflite-micro")

Builder = Any  # of flatbuffers, which has no types
TYPES = {"int8": 9, "int16": 7, "int32": 2}


@dataclass(frozen=True)
class Stored:
    """A tensor of a .tflite file: with data a constant, else an activation or, marked so, a state."""

    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int = 0
    data: np.ndarray | None = None
    state: bool = False


def vector(builder: Builder, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def numbers(builder: Builder, values: Sequence[float], dtype: str) -> int:
    return builder.CreateNumpyVector(np.array(values, dtype))


def quantization(builder: Builder, tensor: Stored) -> int:
    scale, zero = numbers(builder, [tensor.scale], "<f4"), numbers(builder, [tensor.zero_point], "<i8")
    tflite.QuantizationParametersStart(builder)
    tflite.QuantizationParametersAddScale(builder, scale)
    tflite.QuantizationParametersAddZeroPoint(builder, zero)
    return tflite.QuantizationParametersEnd(builder)


def stored(builder: Builder, tensor: Stored, buffer: int) -> int:
    shape, quantized = numbers(builder, tensor.shape, "<i4"), quantization(builder, tensor)
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, shape)
    tflite.TensorAddType(builder, TYPES[tensor.dtype])
    tflite.TensorAddBuffer(builder, buffer)
    tflite.TensorAddQuantization(builder, quantized)
    tflite.TensorAddIsVariable(builder, tensor.state)
    return tflite.TensorEnd(builder)


def lstm_options(builder: Builder, op: Lstm) -> int:
    tflite.UnidirectionalSequenceLSTMOptionsStart(builder)
    tflite.UnidirectionalSequenceLSTMOptionsAddFusedActivationFunction(
        builder, tflite.ActivationFunctionType.TANH
    )
    tflite.UnidirectionalSequenceLSTMOptionsAddCellClip(builder, op.cell_clip)
    return tflite.UnidirectionalSequenceLSTMOptionsEnd(builder)


def one_op_file(
    tensors: Sequence[Stored],
    code: int,
    inputs: Sequence[int],
    options_type: int,
    builder: Builder,
    options: int,
) -> bytes:
    """A model of one op: tensor 0 is its input, the last one its output; inputs of -1 are absent."""
    buffers = []
    for data in [None, *[t.data for t in tensors]]:
        content = None if data is None else builder.CreateNumpyVector(np.frombuffer(data.tobytes(), np.uint8))
        tflite.BufferStart(builder)
        if content is not None:
            tflite.BufferAddData(builder, content)
        buffers.append(tflite.BufferEnd(builder))
    entries = [stored(builder, t, 0 if t.data is None else i + 1) for i, t in enumerate(tensors)]
    reads, makes = numbers(builder, inputs, "<i4"), numbers(builder, [len(tensors) - 1], "<i4")
    first = numbers(builder, [0], "<i4")
    tflite.OperatorStart(builder)
    tflite.OperatorAddInputs(builder, reads)
    tflite.OperatorAddOutputs(builder, makes)
    tflite.OperatorAddBuiltinOptionsType(builder, options_type)
    tflite.OperatorAddBuiltinOptions(builder, options)
    operators = vector(builder, [tflite.OperatorEnd(builder)])
    listed = vector(builder, entries)
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, listed)
    tflite.SubGraphAddInputs(builder, first)
    tflite.SubGraphAddOutputs(builder, makes)
    tflite.SubGraphAddOperators(builder, operators)
    subgraphs = vector(builder, [tflite.SubGraphEnd(builder)])
    tflite.OperatorCodeStart(builder)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, code)
    tflite.OperatorCodeAddBuiltinCode(builder, code)
    tflite.OperatorCodeAddVersion(builder, 1)
    codes, contents = vector(builder, [tflite.OperatorCodeEnd(builder)]), vector(builder, buffers)
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddOperatorCodes(builder, codes)
    tflite.ModelAddSubgraphs(builder, subgraphs)
    tflite.ModelAddBuffers(builder, contents)
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def lstm_file(graph: Graph) -> bytes:
    """The graph's one LSTM as TFLite stores it: every gate's weights a tensor of its own."""
    node = graph.nodes[-1]
    op = node.op
    assert isinstance(op, Lstm)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    kinds = [graph.type(n) for n in node.inputs[1:]]
    data = [graph.constant(n) for n in node.inputs[1:]]
    hidden = y.shape[1]
    parts: list[Stored] = []
    for kind, codes in zip(kinds, data, strict=True):
        for gate in range(4):
            part = np.ascontiguousarray(codes[:, gate]).astype("i4" if kind.dtype == "int32" else "i1")
            parts.append(
                Stored(part.shape, "int32" if kind.dtype == "int32" else "int8", kind.scale[gate], 0, part)
            )
    tensors = [
        Stored((1, *x.shape), "int8", x.scale[0], x.zero_point),
        *parts,
        Stored((1, hidden), "int8", y.scale[0], y.zero_point, state=True),
        Stored((1, hidden), "int16", 2.0**op.cell_exponent, state=True),
        Stored((1, *y.shape), "int8", y.scale[0], y.zero_point),
    ]
    inputs = [*range(9), -1, -1, -1, *range(9, 13), -1, -1, 13, 14, -1, -1, -1, -1]
    builder = flatbuffers.Builder(1024)
    kind = tflite.BuiltinOptions.UnidirectionalSequenceLSTMOptions
    code = tflite.BuiltinOperator.UNIDIRECTIONAL_SEQUENCE_LSTM
    return one_op_file(tensors, code, inputs, kind, builder, lstm_options(builder, op))


def svdf_options(builder: Builder, op: Svdf) -> int:
    tflite.SVDFOptionsStart(builder)
    tflite.SVDFOptionsAddRank(builder, op.rank)
    tflite.SVDFOptionsAddFusedActivationFunction(builder, tflite.ActivationFunctionType.RELU)
    return tflite.SVDFOptionsEnd(builder)


def svdf_file(graph: Graph) -> bytes:
    """The graph's one SVDF as TFLite stores it: a single step."""
    node = graph.nodes[-1]
    op = node.op
    assert isinstance(op, Svdf)
    x, w, t, b, y = (graph.type(n) for n in (*node.inputs, node.output))
    feature, time, bias = (graph.constant(n) for n in node.inputs[1:])
    tensors = [
        Stored((1, x.shape[1]), "int8", x.scale[0], x.zero_point),
        Stored(w.shape, "int8", w.scale[0], 0, feature),
        Stored(t.shape, "int16", t.scale[0], 0, time),
        Stored(b.shape, "int32", b.scale[0], 0, bias),
        Stored((1, t.elements), "int16", op.state_scale, state=True),
        Stored((1, y.shape[1]), "int8", y.scale[0], y.zero_point),
    ]
    builder = flatbuffers.Builder(1024)
    code, kind = tflite.BuiltinOperator.SVDF, tflite.BuiltinOptions.SVDFOptions
    return one_op_file(tensors, code, range(5), kind, builder, svdf_options(builder, op))


def of_tflm(model: bytes, codes: np.ndarray, steps: bool = False) -> np.ndarray:
    """Outputs (n, …) of TFLite Micro, its states zero before each input. steps: its model takes one step a call."""
    interpreter = runtime.Interpreter.from_bytes(model)

    def call(x: np.ndarray) -> np.ndarray:
        interpreter.set_input(x[None], 0)
        interpreter.invoke()
        return interpreter.get_output(0)[0].copy()

    outputs: list[np.ndarray] = []
    for row in codes:
        interpreter.reset()
        outputs.append(np.stack([call(step) for step in row]) if steps else call(row))
    return np.stack(outputs)


Shapes = dict[str, tuple[int, ...]]


def random_layer(x_shape: tuple[int, int], shapes: Shapes, seed: int, op: Lstm | Svdf, size: float) -> Graph:
    rng = np.random.default_rng(seed)
    constants = {n: constant(n, rng.normal(0, size, s)) for n, s in shapes.items()}
    node = Node("y", op, ("x", *shapes), "y")
    x = Tensor("x", TensorType(x_shape))
    graph = rebuild(Graph("one layer", {"x": x}, (), ("x",), ("y",)), [node], constants)
    return Quantize()(graph, rng.normal(0.3, 1, (32, *x_shape)).astype(np.float32))


def random_lstm(steps: int, channels: int, hidden: int, seed: int, op: Lstm, size: float = 0.6) -> Graph:
    shapes: Shapes = {"w": (hidden, 4, channels), "r": (hidden, 4, hidden), "b": (hidden, 4)}
    graph = random_layer((steps, channels), shapes, seed, op, size)
    return replace(graph, nodes=(replace(graph.nodes[0], op=op),))


def random_svdf(x_shape: tuple[int, int], units: int, memory: int, seed: int, op: Svdf) -> Graph:
    filters = units * op.rank
    shapes: Shapes = {"w": (filters, x_shape[1]), "t": (filters, memory), "b": (units,)}
    return random_layer(x_shape, shapes, seed, op, 0.6)


def assert_equal_to_tflm(graph: Graph, model: bytes, count: int = 50, steps: bool = False) -> None:
    shape = graph.type("x").shape
    codes = np.random.default_rng(1).integers(-128, 128, (count, *shape)).astype(np.int8)
    expected = of_tflm(model, codes, steps)
    assert len(np.unique(expected)) > 20
    assert np.array_equal(run_integers(graph, codes), expected)
    assert np.array_equal(run_on_host(write(graph).files, codes), expected.reshape(count, -1))


LSTMS = {
    "small": random_lstm(6, 3, 5, 0, Lstm()),
    "long": random_lstm(60, 10, 16, 1, Lstm(-12)),
    "one number": random_lstm(4, 1, 1, 2, Lstm(-9)),
    "a cell finer than tanh's table": random_lstm(9, 4, 6, 3, Lstm(-14)),
    "saturating": random_lstm(12, 4, 6, 4, Lstm(-15), 6.0),
    "clipped": random_lstm(12, 4, 6, 5, Lstm(-11, 0.7), 2.0),
}


@pytest.mark.parametrize("graph", LSTMS.values(), ids=LSTMS)
def test_lstm(graph: Graph) -> None:
    assert_equal_to_tflm(graph, lstm_file(graph))


SVDFS = {
    "rank 1": random_svdf((12, 5), 6, 4, 0, Svdf()),
    "rank 3": random_svdf((9, 8), 4, 10, 1, Svdf(3)),
    "no memory": random_svdf((4, 3), 7, 1, 2, Svdf(2, "relu")),
}


@pytest.mark.parametrize("graph", SVDFS.values(), ids=SVDFS)
def test_svdf(graph: Graph) -> None:
    assert_equal_to_tflm(graph, svdf_file(graph), steps=True)

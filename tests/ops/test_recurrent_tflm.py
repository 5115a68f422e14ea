"""Recurrent layers give the integers of TFLite Micro, bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

from pintsize.compress.quantize import ActivationBits, Quantize
from pintsize.errors import UnsupportedOp
from pintsize.graph import DType, Graph, Node, Tensor, TensorType, rebuild
from pintsize.module import run_float, run_integers
from pintsize.ops import Lstm, Svdf
from pintsize.read.tflite import read_tflite
from pintsize.write.c import write
from pintsize.write.tflite import write_tflite
from tests.compiled import run_on_host
from tests.examples import constant

tflite = pytest.importorskip("tflite", reason="needs the tflite schema bindings")
flatbuffers = pytest.importorskip("flatbuffers", reason="needs flatbuffers")
runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="needs tflite-micro")

Builder = Any  # of flatbuffers, which has no types
TYPES = {"int8": 9, "int16": 7, "int32": 2, "int64": 4}


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


def lstm_file(graph: Graph, bias: str = "") -> bytes:
    """The graph's one LSTM as TFLite stores it: every gate's weights a tensor of its own.

    bias: of what type, where not as it should be.
    """
    node = graph.nodes[-1]
    op = node.op
    assert isinstance(op, Lstm)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    kinds = [graph.type(n) for n in node.inputs[1:]]
    data = [graph.constant(n) for n in node.inputs[1:]]
    hidden = y.shape[1]
    bias = bias or ("int64" if x.dtype == "int16" else "int32")
    parts: list[Stored] = []
    for kind, codes in zip(kinds, data, strict=True):
        dtype = bias if kind.dtype == "int32" else "int8"
        for gate in range(4):
            part = np.ascontiguousarray(codes[:, gate]).astype(dtype)
            parts.append(Stored(part.shape, dtype, kind.scale[gate], 0, part))
    tensors = [
        Stored((1, *x.shape), x.dtype, x.scale[0], x.zero_point),
        *parts,
        Stored((1, hidden), y.dtype, y.scale[0], y.zero_point, state=True),
        Stored((1, hidden), "int16", 2.0**op.cell_exponent, state=True),
        Stored((1, *y.shape), y.dtype, y.scale[0], y.zero_point),
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


def random_layer(
    x_shape: tuple[int, int],
    shapes: Shapes,
    seed: int,
    op: Lstm | Svdf,
    size: float,
    activation_bits: ActivationBits = 8,
) -> Graph:
    rng = np.random.default_rng(seed)
    constants = {n: constant(n, rng.normal(0, size, s)) for n, s in shapes.items()}
    node = Node("y", op, ("x", *shapes), "y")
    x = Tensor("x", TensorType(x_shape))
    graph = rebuild(Graph("one layer", {"x": x}, (), ("x",), ("y",)), [node], constants)
    samples = rng.normal(0.3, 1, (32, *x_shape)).astype(np.float32)
    return Quantize(activation_bits=activation_bits)(graph, samples)


def random_lstm(
    steps: int,
    channels: int,
    hidden: int,
    seed: int,
    op: Lstm,
    size: float = 0.6,
    activation_bits: ActivationBits = 8,
) -> Graph:
    shapes: Shapes = {"w": (hidden, 4, channels), "r": (hidden, 4, hidden), "b": (hidden, 4)}
    graph = random_layer((steps, channels), shapes, seed, op, size, activation_bits)
    return replace(graph, nodes=(replace(graph.nodes[0], op=op),))


def random_svdf(x_shape: tuple[int, int], units: int, memory: int, seed: int, op: Svdf) -> Graph:
    filters = units * op.rank
    shapes: Shapes = {"w": (filters, x_shape[1]), "t": (filters, memory), "b": (units,)}
    return random_layer(x_shape, shapes, seed, op, 0.6)


def codes_for(graph: Graph, count: int) -> np.ndarray:
    """Any codes, the first two inputs at the ends."""
    kind = graph.type(graph.inputs[0])
    dtype = np.int16 if kind.dtype == "int16" else np.int8
    ends = np.iinfo(dtype)
    codes = np.random.default_rng(1).integers(ends.min, ends.max + 1, (count, *kind.shape)).astype(dtype)
    codes[0], codes[1] = ends.min, ends.max
    return codes


def assert_equal_to_tflm(graph: Graph, model: bytes, count: int = 50, steps: bool = False) -> None:
    codes = codes_for(graph, count)
    expected = of_tflm(model, codes, steps)
    assert len(np.unique(expected)) > 20
    assert np.array_equal(run_integers(graph, codes), expected)
    found = run_on_host(write(graph).files, codes).view(expected.dtype)
    assert np.array_equal(found, expected.reshape(count, -1))


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


WIDE_LSTMS = {
    "small": random_lstm(6, 3, 5, 0, Lstm(), activation_bits=16),
    "long": random_lstm(60, 10, 16, 1, Lstm(-12), activation_bits=16),
    "one number": random_lstm(4, 1, 1, 2, Lstm(-9), activation_bits=16),
    "a cell finer than tanh's table": random_lstm(9, 4, 6, 3, Lstm(-14), activation_bits=16),
    "saturating": random_lstm(12, 4, 6, 4, Lstm(-15), 6.0, 16),
    "clipped": random_lstm(12, 4, 6, 5, Lstm(-11, 0.7), 2.0, 16),
    "sums beyond 32 bits": random_lstm(2, 3000, 3, 6, Lstm(), 0.02, 16),
}


def test_sums_of_int16_leave_32_bits() -> None:
    weight = WIDE_LSTMS["sums beyond 32 bits"].constant("w").astype(np.int64)
    assert np.abs(weight).sum(-1).max() << 15 > 2**31


@pytest.mark.parametrize("graph", WIDE_LSTMS.values(), ids=WIDE_LSTMS)
def test_lstm_of_int16(graph: Graph) -> None:
    assert_equal_to_tflm(graph, lstm_file(graph), 20)


@pytest.mark.parametrize("name", ["small", "clipped"])
def test_lstm_of_int16_written_and_read_again(name: str) -> None:
    graph = WIDE_LSTMS[name]
    codes, data = codes_for(graph, 20), write_tflite(graph)
    expected = run_integers(graph, codes)
    assert np.array_equal(of_tflm(data, codes), expected)
    assert np.array_equal(run_integers(read_tflite(data), codes), expected)


def test_biases_of_another_width_than_tflm_takes() -> None:
    graph = WIDE_LSTMS["small"]
    narrow = [
        replace(graph.tensors[n], type=replace(graph.type(n), dtype="int8", zero_point=3)) for n in "xy"
    ]
    for wide, reason in ((graph, "32 bits; 64-bit"), (graph.with_tensors(*narrow), "64 bits; 32-bit")):
        data = lstm_file(wide, "int32" if wide is graph else "int64")
        with pytest.raises(UnsupportedOp, match=reason):
            read_tflite(data)


SVDFS = {
    "rank 1": random_svdf((12, 5), 6, 4, 0, Svdf()),
    "rank 3": random_svdf((9, 8), 4, 10, 1, Svdf(3)),
    "no memory": random_svdf((4, 3), 7, 1, 2, Svdf(2, "relu")),
}


@pytest.mark.parametrize("graph", SVDFS.values(), ids=SVDFS)
def test_svdf(graph: Graph) -> None:
    assert_equal_to_tflm(graph, svdf_file(graph), steps=True)


def of_first_call(model: bytes, codes: np.ndarray) -> np.ndarray:
    """Outputs (n, …) of TFLite Micro: every input is the first that its interpreter sees."""
    outputs: list[np.ndarray] = []
    for row in codes:
        interpreter = runtime.Interpreter.from_bytes(model, arena_size=1_000_000)
        interpreter.set_input(row[None], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0)[0].copy())
    return np.stack(outputs)


def with_zero_point(graph: Graph, zero_point: int) -> Graph:
    return graph.with_tensors(
        replace(graph.tensors["y"], type=replace(graph.type("y"), zero_point=zero_point))
    )


STEPS = {
    "plain": random_svdf((1, 5), 6, 4, 0, Svdf()),
    "rank 3": random_svdf((1, 8), 4, 10, 1, Svdf(3)),
    "relu": random_svdf((1, 3), 7, 1, 2, Svdf(2, "relu")),
    "relu above the least code": with_zero_point(random_svdf((1, 3), 7, 3, 3, Svdf(2, "relu")), -20),
    "relu6 above the least code": with_zero_point(random_svdf((1, 3), 7, 3, 3, Svdf(1, "relu6")), -20),
}


@pytest.mark.parametrize("graph", STEPS.values(), ids=STEPS)
def test_one_step_written_and_read_again(graph: Graph) -> None:
    codes = np.random.default_rng(1).integers(-128, 128, (30, *graph.type("x").shape)).astype(np.int8)
    data, expected = write_tflite(graph), run_integers(graph, codes)
    assert len(np.unique(expected)) > 20
    assert np.array_equal(of_first_call(data, codes), expected)
    assert np.array_equal(run_integers(read_tflite(data), codes), expected)


@pytest.mark.parametrize("name", SVDFS)
def test_a_file_with_a_memory_is_read_as_its_first_call(name: str) -> None:
    data = svdf_file(SVDFS[name])
    graph = read_tflite(data)
    codes = (
        np.random.default_rng(2).integers(-128, 128, (30, *graph.type(graph.inputs[0]).shape)).astype(np.int8)
    )
    assert np.array_equal(run_integers(graph, codes), of_first_call(data, codes))


def test_one_step_of_real_numbers() -> None:
    rng = np.random.default_rng(0)
    shapes: Shapes = {"w": (6, 5), "t": (6, 3), "b": (3,)}
    constants = {n: constant(n, rng.normal(0, 1, s)) for n, s in shapes.items()}
    x = Tensor("x", TensorType((1, 5)))
    node = Node("y", Svdf(2, "relu"), ("x", *shapes), "y")
    graph = rebuild(Graph("one step", {"x": x}, (), ("x",), ("y",)), [node], constants)
    data, inputs = write_tflite(graph), rng.normal(0, 1, (8, 1, 5)).astype(np.float32)
    expected = run_float(graph, torch.from_numpy(inputs)).numpy()
    assert np.allclose(of_first_call(data, inputs), expected, atol=1e-5)
    assert np.allclose(run_float(read_tflite(data), torch.from_numpy(inputs)).numpy(), expected, atol=1e-5)


def test_a_sequence_of_several_steps_is_not_written() -> None:
    with pytest.raises(UnsupportedOp, match=r"12 steps; .*one step a call"):
        write_tflite(SVDFS["rank 1"])


def between_factors(a: float, b: float, out: float) -> np.ndarray:
    """Sums that a·b/out brings to one code, but to another were the product of scales rounded to float32."""
    exact, rounded = a * b, float(np.float32(a) * np.float32(b))
    ties = np.arange(-60, 60) + 0.5
    middles = np.rint(ties * (out / exact + out / rounded) / 2)
    return middles[(np.abs(ties * (out / exact - out / rounded)) > 2) & (np.abs(middles) < 2**29)]


def two_scales(seed: int) -> tuple[float, float]:
    """float32 numbers; of the seeds used, float32 does not hold their product."""
    a, b = np.random.default_rng(seed).uniform(0.01, 0.1, 2).astype(np.float32)
    return float(a), float(b)


def quantized(shape: tuple[int, ...], dtype: DType, *scale: float, axis: int | None = None) -> TensorType:
    return TensorType(shape, dtype, tuple(float(np.float32(s)) for s in scale), 0, axis)


def silent(kind: TensorType) -> np.ndarray:
    return np.zeros(kind.shape, np.int16 if kind.dtype == "int16" else np.int8)


@pytest.mark.parametrize("seed", [1, 2, 5, 7])
def test_factors_of_an_svdf_are_exact(seed: int) -> None:
    """A bias alone decides, so close to a tie that the factor's last bits matter."""
    time, state = two_scales(seed)
    out = float(np.float32(time * state * 2**22))
    bias = between_factors(time, state, out)
    n = len(bias)
    w, t = quantized((n, 1), "int8", 0.1), quantized((n, 1), "int16", time)
    tensors = [
        Tensor("x", quantized((1, 1), "int8", 0.1)),
        Tensor("w", w, silent(w)),
        Tensor("t", t, silent(t)),
        Tensor("b", quantized((n,), "int32", time * state), bias.astype(np.int32)),
        Tensor("y", quantized((1, n), "int8", out)),
    ]
    node = Node("y", Svdf(state_scale=state), ("x", "w", "t", "b"), "y")
    graph = Graph("near ties", {t.name: t for t in tensors}, (node,), ("x",), ("y",))
    codes = np.zeros((1, 1, 1), np.int8)
    assert n > 40
    assert np.array_equal(run_integers(graph, codes), of_first_call(write_tflite(graph), codes))


@pytest.mark.parametrize("seed", [1, 2, 5, 7])
def test_factors_of_gates_are_exact(seed: int) -> None:
    """As above, with the cell gate's bias; the other gates stand open."""
    weight, gate = two_scales(seed)[0], 2.0**-12
    x = float(np.float32(gate / weight / 2**22))
    bias = between_factors(x, weight, gate)
    n, scales = len(bias), (1000 * weight, 1000 * weight, weight, 1000 * weight)
    biases = np.full((n, 4), 2**28)
    biases[:, 2] = bias
    w, r = quantized((n, 4, 1), "int8", *scales, axis=1), quantized((n, 4, n), "int8", *scales, axis=1)
    tensors = [
        Tensor("x", quantized((1, 1), "int8", x)),
        Tensor("w", w, silent(w)),
        Tensor("r", r, silent(r)),
        Tensor("b", quantized((n, 4), "int32", *(x * s for s in scales), axis=1), biases.astype(np.int32)),
        Tensor("y", quantized((1, n), "int8", gate)),
    ]
    node = Node("y", Lstm(-12), ("x", "w", "r", "b"), "y")
    graph = Graph("near ties", {t.name: t for t in tensors}, (node,), ("x",), ("y",))
    codes = np.zeros((1, 1, 1), np.int8)
    assert n > 40
    assert np.array_equal(run_integers(graph, codes), of_tflm(lstm_file(graph), codes))

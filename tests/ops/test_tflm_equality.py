"""Layers written as .tflite files give the integers of TFLite Micro, bit for bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pintsize.graph import DType, Graph, Node, Op, Tensor, TensorType
from pintsize.module import run_integers
from pintsize.ops import (
    Add,
    Conv2d,
    DepthwiseConv2d,
    Linear,
    Matmul,
    Mul,
    Requantize,
    Sigmoid,
    Softmax,
    Tanh,
    TransposeConv2d,
)
from pintsize.ops.activation import Activation
from pintsize.spec import check
from tests.int16_graphs import every_int16_kernel, within_int8

pytest.importorskip("tflite", reason="needs the tflite schema bindings")
runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="needs tflite-micro")
write_tflite = pytest.importorskip("pintsize.write.tflite").write_tflite

SEEDS = st.integers(0, 2**32 - 1)
ACTIVATIONS: tuple[Activation, ...] = ("none", "relu", "relu6")


def kind(
    shape: tuple[int, ...],
    dtype: DType,
    scale: float | np.ndarray,
    zero_point: int = 0,
    axis: int | None = None,
) -> TensorType:
    scales = tuple(np.asarray(scale, np.float32).reshape(-1).tolist())
    return TensorType(shape, dtype, scales, zero_point, axis)


def activation(rng: np.random.Generator, shape: tuple[int, ...], bits: int, scale: float) -> TensorType:
    if bits == 16:
        return kind(shape, "int16", scale / 128)
    return kind(shape, "int8", scale, int(rng.integers(-128, 128)))


def one_layer(op: Op, x: TensorType, constants: list[Tensor], y: TensorType) -> Graph:
    """The output's shape follows."""
    shape = op.shape([x, *(t.type for t in constants)])
    tensors = [Tensor("x", x), *constants, Tensor("y", replace(y, shape=shape))]
    node = Node("layer", op, ("x", *(t.name for t in constants)), "y")
    graph = Graph("one layer", {t.name: t for t in tensors}, (node,), ("x",), ("y",))
    check(graph, "integer")
    return graph


def random_codes(graph: Graph, count: int, seed: int) -> np.ndarray:
    x = graph.type(graph.inputs[0])
    dtype = np.int16 if x.dtype == "int16" else np.int8
    bounds = np.iinfo(dtype)
    codes = np.random.default_rng(seed).integers(bounds.min, bounds.max + 1, (count, *x.shape)).astype(dtype)
    codes[0] = bounds.min
    return codes


def tflm(graph: Graph, codes: np.ndarray) -> np.ndarray:
    interpreter = runtime.Interpreter.from_bytes(write_tflite(graph), arena_size=4_000_000)
    outputs = []
    for row in codes:
        interpreter.reset()  # an LSTM's states go on from call to call
        interpreter.set_input(row[np.newaxis], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0)[0])
    return np.stack(outputs)


def assert_equal(graph: Graph, seed: int, count: int = 3) -> None:
    codes = random_codes(graph, count, seed)
    assert np.array_equal(tflm(graph, codes), run_integers(graph, codes))


def weights(rng: np.random.Generator, shape: tuple[int, ...], axis: int, x: TensorType) -> list[Tensor]:
    scale = rng.uniform(0.001, 0.02, shape[axis]).astype(np.float32)
    weight = rng.integers(-127, 128, shape).astype(np.int8)
    bias = rng.integers(-(2**20 if x.dtype == "int16" else 3000), 3001, shape[axis]).astype(np.int32)
    unit = scale.astype(np.float64) * np.float32(x.scale[0])
    return [
        Tensor("w", kind(shape, "int8", scale, 0, axis), weight),
        Tensor("b", kind(bias.shape, "int32", unit, 0, 0), bias),
    ]


@settings(max_examples=12)
@given(SEEDS)
def test_transposed_convolution(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width, channels, outputs, kh, kw = rng.integers(1, 6, 6).tolist()
    top, left = int(rng.integers(kh)), int(rng.integers(kw))
    padding = (top, int(rng.integers(kh - top)), left, int(rng.integers(kw - left)))
    op = TransposeConv2d(tuple(rng.integers(1, 4, 2).tolist()), padding, ACTIVATIONS[rng.integers(3)])
    x = activation(rng, (height, width, channels), 8, 0.05)
    constants = weights(rng, (outputs, kh, kw, channels), 0, x)
    assert_equal(one_layer(op, x, constants, activation(rng, (), 8, 0.07)), seed)


@settings(max_examples=12)
@given(SEEDS)
def test_a_matrix_and_itself(seed: int) -> None:
    rng = np.random.default_rng(seed)
    heads, rows, inner = rng.integers(1, 7, 3).tolist()
    flip = bool(rng.random() < 0.5)
    x = activation(rng, (heads, rows, inner), 8, 0.05)
    y = activation(rng, (), 8, float(rng.uniform(0.01, 0.2)))
    op = Matmul(flip, not flip)
    tensors = {"x": Tensor("x", x), "y": Tensor("y", replace(y, shape=op.shape([x, x])))}
    node = Node("layer", op, ("x", "x"), "y")
    assert_equal(Graph("squared", tensors, (node,), ("x",), ("y",)), seed)


@settings(max_examples=8)
@given(SEEDS)
def test_softmax_of_scaled_numbers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = activation(rng, (3, int(rng.integers(1, 20))), 8, float(10.0 ** rng.uniform(-3, 0)))
    op = Softmax(float(10.0 ** rng.uniform(-2, 1)))
    assert_equal(one_layer(op, x, [], kind((), "int8", 1 / 256, -128)), seed)


@settings(max_examples=12)
@given(SEEDS)
def test_int16_layers_with_weights(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width, channels, outputs, kh, kw = rng.integers(1, 6, 6).tolist()
    stride, act = tuple(rng.integers(1, 3, 2).tolist()), ACTIVATIONS[rng.integers(3)]
    image = (height + kh, width + kw, channels)
    x = activation(rng, image, 16, 0.05)
    y = activation(rng, (), 16, 0.05 * float(np.sqrt(kh * kw * channels) * rng.uniform(0.2, 2)))
    layers = [
        (Conv2d(stride, activation=act), x, (outputs, kh, kw, channels), 0),
        (DepthwiseConv2d(stride, multiplier=2, activation=act), x, (kh, kw, 2 * channels), 2),
        (Linear(act), replace(x, shape=(image[0] * 40,)), (outputs, image[0] * 40), 0),
    ]
    for op, given_type, shape, axis in layers:
        assert_equal(one_layer(op, given_type, weights(rng, shape, axis, x), y), seed)


@settings(max_examples=12)
@given(SEEDS)
def test_int16_sums_and_products_with_a_constant(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = activation(rng, (2, 40), 16, float(10.0 ** rng.uniform(-3, -1)))
    b = Tensor("c", activation(rng, (2, 40), 16, 0.05), rng.integers(-32768, 32768, (2, 40)).astype(np.int16))
    act = ACTIVATIONS[rng.integers(3)]
    larger = max(x.scale[0], b.type.scale[0])
    assert_equal(one_layer(Add(act), x, [b], kind((), "int16", larger * rng.uniform(0.3, 3))), seed)
    product = x.scale[0] * b.type.scale[0] * 32768 * rng.uniform(0.3, 2)
    assert_equal(one_layer(Mul(act), x, [b], kind((), "int16", product)), seed)


@pytest.mark.parametrize(
    "graph", [every_int16_kernel(), within_int8(every_int16_kernel())], ids=["int16", "int8 borders"]
)
def test_a_whole_graph_of_int16_layers(graph: Graph) -> None:
    codes = random_codes(graph, 6, 0)
    assert np.array_equal(tflm(graph, codes), run_integers(graph, codes))


@pytest.mark.parametrize("scale", [2.0**-12, 2.0**-11, 2.0**-13, 1e-4, 3.1e-4, 0.01, 3e-6])
def test_int16_functions_of_every_code(scale: float) -> None:
    codes = torch.arange(-32768, 32768).numpy().astype(np.int16)[np.newaxis]
    for op in (Sigmoid(), Tanh()):
        graph = one_layer(op, kind((65536,), "int16", scale), [], kind((), "int16", 2.0**-15))
        assert np.array_equal(tflm(graph, codes), run_integers(graph, codes))


@pytest.mark.parametrize("ratio", [0.5, 1.1, 200.0, 0.003])
@pytest.mark.parametrize("widths", [(8, 16), (16, 8), (16, 16)])
def test_requantization_of_every_code(widths: tuple[int, int], ratio: float) -> None:
    x, y = (kind((), "int16", 0.01) if bits == 16 else kind((), "int8", 0.01, 5) for bits in widths)
    bounds = np.iinfo(np.int16 if widths[0] == 16 else np.int8)
    codes = np.arange(bounds.min, bounds.max + 1).astype(bounds.dtype)[np.newaxis]
    y = replace(y, scale=(float(np.float32(0.01 / ratio)),))
    graph = one_layer(Requantize(), replace(x, shape=codes.shape[1:]), [], y)
    assert np.array_equal(tflm(graph, codes), run_integers(graph, codes))

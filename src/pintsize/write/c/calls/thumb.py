"""Calls of Thumb kernels: Cortex-M0 and M0+, which have eight handy registers and no products of 64 bits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod

import numpy as np

from pintsize.arithmetic import Bounds, pack
from pintsize.graph import BITS, Graph, Node
from pintsize.ops import Add, Conv2d, DepthwiseConv2d, Linear
from pintsize.passes.plan_memory import Needs
from pintsize.write.c.calls.call import Call, Constant, c_call
from pintsize.write.c.calls.distances import by_pixel, by_row
from pintsize.write.c.calls.numbers import WEIGHTS, add_literals, bounds_of, weighted

#: products of unsigned bytes that surely fit an accumulator together with a bias
LARGEST_ROW = 8192
#: the kernel's products stand for accumulators below it
LARGEST_ACCUMULATOR = 2**30

#: narrow weights are stored for so many inputs and outputs at a time
BLOCK = 4

_FILES = ("requantize", "thumb/primitives")
_PRODUCTS = (*_FILES, "thumb/dot")


def linear(graph: Graph, node: Node) -> Call | None:
    assert isinstance(node.op, Linear)
    return _rows(graph, node)


def conv2d(graph: Graph, node: Node) -> Call | None:
    op = node.op
    assert isinstance(op, Conv2d)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    kh, kw = graph.type(node.inputs[1]).shape[1:3]
    if (kh, kw) == (1, 1) and not any(op.padding) and op.stride == (1, 1):
        return _rows(graph, node)
    found = _weights(graph, node, 0)
    if found is None:
        return None
    constants, grid = found
    top, _, left, _ = op.padding
    shape = (*x.shape, *y.shape, kh, kw, *op.stride, top, left, *op.dilation, x.zero_point, *_bounds(grid))
    shape = (*shape, _step(constants))
    bits = _bits(graph, node)
    call = c_call("thumb_conv2d", "x0", "y", *WEIGHTS, "{shape}", "scratch", bits)
    distance = by_row(x, y, lambda row: row * op.stride[0] - top)
    needs = Needs(_padded(kh * kw * x.shape[2], bits), (distance,))
    return Call((call,), (*constants, _shape(shape)), (*_PRODUCTS, "thumb/conv2d"), needs)


def _rows(graph: Graph, node: Node) -> Call | None:
    """Rows that lie next to each other, times weights."""
    found = _weights(graph, node, 0)
    if found is None:
        return None
    constants, grid = found
    inputs, outputs = graph.type(node.inputs[0]).shape[-1], graph.type(node.output).shape[-1]
    count = prod(graph.type(node.inputs[0]).shape[:-1])
    shape = (count, inputs, outputs, *_bounds(grid), _step(constants))
    bits = _bits(graph, node)
    call = c_call("thumb_rows", "x0", "y", *WEIGHTS, "{shape}", "scratch", bits)
    distance = by_pixel(count, inputs, outputs, together=1, copied=True)
    needs = Needs(_padded(inputs, bits), (distance,), distance <= 0)
    return Call((call,), (*constants, _shape(shape)), (*_PRODUCTS, "thumb/rows"), needs)


def depthwise_conv2d(graph: Graph, node: Node) -> Call | None:
    op = node.op
    assert isinstance(op, DepthwiseConv2d)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    kh, kw = graph.type(node.inputs[1]).shape[:2]
    found = _depthwise_weights(graph, node)
    if found is None or op.dilation != (1, 1) or op.multiplier != 1:
        return None
    constants, grid = found
    top, _, left, _ = op.padding
    columns = (y.shape[1] - 1) * op.stride[1] + kw
    shape = (*x.shape, *y.shape[:2], kh, *op.stride, top, left, columns, x.zero_point, *_bounds(grid))
    bits = _bits(graph, node)
    call = c_call("thumb_depthwise_conv2d", "x0", "y", *WEIGHTS, "{shape}", "scratch", kw, bits)
    distance = by_row(x, y, lambda row: row * op.stride[0] - top + kh)
    needs = Needs(kh * columns * x.shape[2], (distance,), distance <= 0)
    return Call((call,), (*constants, _shape(shape)), (*_FILES, "dot", "thumb/depthwise_conv2d"), needs)


def add(graph: Graph, node: Node) -> Call | None:
    op = node.op
    assert isinstance(op, Add)
    a, b, y = (graph.type(n) for n in (*node.inputs, node.output))
    if {a.dtype, b.dtype, y.dtype} != {"int8"} or a.shape != b.shape or len(graph.activations(node)) < 2:
        return None
    left, right, out = add_literals(a, b, y)
    if max(left[1], right[1], out[1]) > 0:
        return None
    bounds = _bounds(bounds_of(y, op.activation))
    numbers = (y.elements, a.zero_point, *left, b.zero_point, *right, *out, *bounds)
    call = c_call("thumb_add", "x0", "x1", "y", "{shape}")
    return Call((call,), (_shape(numbers),), (*_FILES, "thumb/add"))


def _weights(graph: Graph, node: Node, output_axis: int) -> tuple[tuple[Constant, ...], Bounds] | None:
    """Constants with unsigned weights, in blocks of four channels; None where the kernels do not apply."""
    found = _constants(graph, node, output_axis)
    if found is None:
        return None
    (_, bias, *factors), grid = found
    codes = graph.constant(node.inputs[1])
    rows = codes.reshape(len(codes), -1).astype(np.int64)
    if rows.shape[1] > LARGEST_ROW:
        return None
    bits = _bits(graph, node)
    larger = (_blocks(rows) + 128).astype(np.uint8) if bits == 8 else _narrow_blocks(rows, bits)
    shifted = Constant("bias", "int32_t", bias.data - 128 * rows.sum(1))
    return (Constant("weight", "int8_t", larger.view(np.int8)), shifted, *_once(factors)), grid


def _depthwise_weights(graph: Graph, node: Node) -> tuple[tuple[Constant, ...], Bounds] | None:
    found = _constants(graph, node, 2)
    if found is None:
        return None
    (_, bias, *factors), grid = found
    codes = graph.constant(node.inputs[1])
    rows = codes.reshape(-1, codes.shape[2]).T.astype(np.int64)  # (channels, taps)
    shifted = Constant("bias", "int32_t", bias.data - 128 * rows.sum(1))
    bits = _bits(graph, node)
    weight = _blocks(rows, turned=True) if bits == 8 else _narrow_taps(rows, bits)
    return (Constant("weight", "int8_t", weight.astype(np.int8)), shifted, *factors), grid


def _constants(graph: Graph, node: Node, output_axis: int) -> tuple[tuple[Constant, ...], Bounds] | None:
    if any(graph.type(name).dtype != "int8" for name in (node.inputs[0], node.output)):
        return None
    constants, _, grid = weighted(graph, node, output_axis)
    codes = np.moveaxis(graph.constant(node.inputs[1]), output_axis, 0).astype(np.int64)
    reach = np.abs(constants[1].data) + 128 * np.abs(codes.reshape(len(codes), -1)).sum(1)
    if constants[3].data.max() > 0 or reach.max() >= LARGEST_ACCUMULATOR:
        return None
    return constants, grid


def _blocks(rows: np.ndarray, turned: bool = False) -> np.ndarray:
    """Rows (outputs, inputs) as blocks (inputs, 4), then the last outputs one by one; turned: as a narrower block."""
    full = len(rows) // 4 * 4
    blocks = rows[:full].reshape(-1, 4, rows.shape[1]).transpose(0, 2, 1)
    rest = rows[full:].T if turned else rows[full:]
    return np.concatenate([blocks.reshape(-1), rest.reshape(-1)])


def _narrow_blocks(rows: np.ndarray, bits: int) -> np.ndarray:
    """Rows (outputs, inputs) in the order that kernels/thumb/dot.c states; the last outputs 128 larger, as bytes."""
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % BLOCK)))
    full = len(rows) // BLOCK * BLOCK
    in_word = 8 // bits
    blocks = (padded[:full] + (1 << (bits - 1))).reshape(-1, 2, 2, padded.shape[1] // in_word, in_word)
    fields = blocks.transpose(0, 3, 2, 4, 1)  # (blocks, words, high half, input, second pair of channels)
    half, i, pair = np.ogrid[:2, :in_word, :2]
    words = (fields << (16 * half + bits * (2 * i + pair))).sum((-1, -2, -3)).astype("<u4")
    return np.concatenate(
        [words.reshape(-1).view(np.uint8), (padded[full:].reshape(-1) + 128).astype(np.uint8)]
    )


def _narrow_taps(rows: np.ndarray, bits: int) -> np.ndarray:
    """Rows (channels, taps) as blocks (taps, 4), the four of a tap packed."""
    blocks = np.pad(rows, ((0, -len(rows) % BLOCK), (0, 0))).reshape(-1, BLOCK, rows.shape[1])
    return pack(blocks.transpose(0, 2, 1).reshape(-1, BLOCK), bits).view(np.int8).reshape(-1)


def _padded(inputs: int, bits: int) -> int:
    return inputs if bits == 8 else inputs + -inputs % BLOCK


def _bits(graph: Graph, node: Node) -> int:
    return BITS[graph.type(node.inputs[1]).dtype]


def _once(factors: list[Constant]) -> list[Constant]:
    """Multipliers and shifts, a single one of each where all channels have the same."""
    uniform = all((f.data == f.data[0]).all() for f in factors)
    return [replace(f, data=f.data[:1]) for f in factors] if uniform else factors


def _step(constants: tuple[Constant, ...]) -> int:
    """From one channel's multiplier to the next one's."""
    return int(constants[2].data.size > 1)


def _shape(numbers: tuple[int, ...]) -> Constant:
    return Constant("shape", "int32_t", np.array(numbers))


def _bounds(grid: Bounds) -> tuple[int, int, int]:
    return grid.zero_point, grid.low, grid.high


THUMB: Mapping[str, Callable[[Graph, Node], Call | None]] = {
    "add": add, "conv2d": conv2d, "depthwise_conv2d": depthwise_conv2d, "linear": linear,
}  # fmt: skip

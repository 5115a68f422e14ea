"""Calls of Helium kernels: Cortex-M55 and M85, sixteen products of int8 in one instruction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod

import numpy as np

from pintsize.arithmetic import Bounds
from pintsize.graph import BITS, Graph, Node
from pintsize.ops import Add, Conv2d, DepthwiseConv2d, Linear
from pintsize.passes.plan_memory import Needs
from pintsize.write.c.calls import arithmetic, pools
from pintsize.write.c.calls.call import Call, Constant, c_call
from pintsize.write.c.calls.distances import by_pixel, by_row
from pintsize.write.c.calls.numbers import WEIGHTS, add_literals, bounds_of, weighted

LANES = 16
#: taps of a depthwise window: their order is kept in int8
LARGEST_WINDOW = 127
#: what sums of products with narrow weights, which are kept larger, must stay below
LARGEST_SUM = 2**31

#: kernel files under those of the layers
_FILES = ("requantize", "helium/primitives", "helium/dot", "helium/blocks")
#: of kernels that take weights in blocks
_ROW_OPERANDS = ("x0", "y", "{weight}", "{factors}", "{shape}")


def linear(graph: Graph, node: Node) -> Call | None:
    assert isinstance(node.op, Linear)
    x = graph.type(node.inputs[0])
    return _rows(graph, node, prod(x.shape[:-1]))


def conv2d(graph: Graph, node: Node) -> Call | None:
    op = node.op
    assert isinstance(op, Conv2d)
    x = graph.type(node.inputs[0])
    if graph.type(node.inputs[1]).shape[1:3] != (1, 1) or any(op.padding):
        return _windows(graph, node, op)
    return _rows(graph, node, prod(x.shape[:-1])) if op.stride == (1, 1) else _strided(graph, node, op)


def _windows(graph: Graph, node: Node, op: Conv2d) -> Call | None:
    """Through a strip of scratch memory that holds the rows under one row of windows, column by column."""
    found = _weights(graph, node, 0)
    if found is None:
        return None
    constants, grid = found
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    codes = graph.constant(node.inputs[1])
    kh, kw = codes.shape[1:3]
    top, _, left, _ = op.padding
    columns = (y.shape[1] - 1) * op.stride[1] + (kw - 1) * op.dilation[1] + 1
    shape = (
        *x.shape, *y.shape, kh, kw, *op.stride, top, left, *op.dilation, columns, x.zero_point, *_bounds(grid),
    )  # fmt: skip
    bits = _bits(graph, node)
    blocks = _blocks(codes.transpose(0, 2, 1, 3).reshape(len(codes), -1), bits)
    dilated = int(op.dilation[1] > 1)
    call = c_call("helium_conv2d", *_ROW_OPERANDS, "scratch", bits, dilated, _is_signed(grid))
    columns_by_residue = -(-columns // op.dilation[1]) * op.dilation[1]
    distance = by_row(x, y, lambda row: (row + 1) * op.stride[0] - top)
    needs = Needs(columns_by_residue * kh * x.shape[2] + LANES, (distance,))
    return Call(
        (call,), (blocks, _factors(constants, bits), _shape(shape)), (*_FILES, "helium/conv2d"), needs
    )


def depthwise_conv2d(graph: Graph, node: Node) -> Call | None:
    op = node.op
    assert isinstance(op, DepthwiseConv2d)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    kh, kw = graph.type(node.inputs[1]).shape[:2]
    found = _weights(graph, node, 2)
    if found is None or op.dilation != (1, 1) or kh * kw > LARGEST_WINDOW or y.shape[2] < 4:
        return None
    constants, grid = found
    top, _, left, _ = op.padding
    columns = (y.shape[1] - 1) * op.stride[1] + kw
    shape = (
        *x.shape, *y.shape[:2], op.multiplier, op.stride[0], top, left, columns, x.zero_point, *_bounds(grid),
    )  # fmt: skip
    single, bits = int(op.multiplier == 1), _bits(graph, node)
    call = c_call(
        "helium_depthwise_conv2d", "x0", "y", *WEIGHTS, "{shape}", "scratch", kh, kw, kh * op.stride[1], bits,
        single, _is_signed(grid),
    )  # fmt: skip
    turned = _turned(graph.constant(node.inputs[1]), bits)
    distance = by_row(x, y, lambda row: row * op.stride[0] - top + kh)
    needs = Needs(_ring_bytes(kh, kw, columns, x.shape[2], op.stride[1]), (distance,), distance <= 0)
    kernels = (*_FILES, "helium/depthwise_conv2d")
    return Call((call,), (turned, *constants[1:], _shape(shape)), kernels, needs)


def _ring_bytes(kh: int, kw: int, columns: int, channels: int, stride: int) -> int:
    """The order of the slots, the turned weights of a large window, the ring, and what vectors read behind it."""
    taps = kh * kw
    tile = -(-taps // LANES) * LANES + (taps if taps > LANES else 0)
    neighbour = kh * stride  # of the last of an odd number
    return tile + channels * columns * kh + neighbour + LANES


def add(graph: Graph, node: Node) -> Call | None:
    op = node.op
    assert isinstance(op, Add)
    a, b, y = (graph.type(n) for n in (*node.inputs, node.output))
    if {a.dtype, b.dtype, y.dtype} != {"int8"} or a.shape != b.shape or len(graph.activations(node)) < 2:
        return None
    grid = bounds_of(y, op.activation)
    left, right, out = add_literals(a, b, y)
    if left[1] > 0 or right[1] > 0 or out[1] >= 0:
        return None
    numbers = (y.elements, a.zero_point, *left, b.zero_point, *right, *out, *_bounds(grid))
    call = c_call("helium_add", "x0", "x1", "y", "{shape}", int(left[1] == 0), int(right[1] == 0))
    return Call((call,), (_shape(numbers),), ("requantize", "helium/primitives", "helium/add"))


def _as_portable(portable: Callable[[Graph, Node], Call]) -> Callable[[Graph, Node], Call | None]:
    """The portable call with this file's kernel of the same arguments."""

    def variant(graph: Graph, node: Node) -> Call | None:
        kinds = graph.type(node.inputs[0]), graph.type(node.output)
        if any(kind.dtype != "int8" for kind in kinds):
            return None
        call = portable(graph, node)
        (own,) = call.invocations
        kernel = f"helium/{own.function}"
        return replace(
            call,
            invocations=(replace(own, function=f"helium_{own.function}"),),
            kernels=("helium/primitives", kernel),
        )

    return variant


def _rows(graph: Graph, node: Node, count: int) -> Call | None:
    """Rows that lie next to each other, times weights."""
    found = _weights(graph, node, 0)
    if found is None:
        return None
    constants, grid = found
    codes = graph.constant(node.inputs[1])
    outputs, inputs = len(codes), codes.size // len(codes)
    bits = _bits(graph, node)
    blocks = _blocks(codes.reshape(outputs, inputs), bits)
    if count == 1:
        return _row(constants, grid, blocks, inputs, bits)
    shape = (count, inputs, outputs, *_bounds(grid))
    call = c_call("helium_rows", *_ROW_OPERANDS, bits, _is_signed(grid))
    needs = Needs(0, (by_pixel(count, inputs, outputs, together=2),))
    return Call((call,), (blocks, _factors(constants, bits), _shape(shape)), (*_FILES, "helium/rows"), needs)


def _row(constants: tuple[Constant, ...], grid: Bounds, blocks: Constant, inputs: int, bits: int) -> Call:
    bias, multiplier, shift = (c.data for c in constants[1:])
    full = len(bias) // 4 * 4
    uniform = (
        bits == 8 and full > 0 and bool((multiplier == multiplier[0]).all() and (shift == shift[0]).all())
    )
    factors = _factors(constants, bits)
    if uniform:
        rest = factors.data[full // 4 * 9 :]
        factors = Constant("factors", "int32_t", np.concatenate([bias[:full], rest]))
    shape = (inputs, len(bias), *_bounds(grid), int(multiplier[0]), int(shift[0]))
    call = c_call("helium_row", *_ROW_OPERANDS, bits, int(uniform), _is_signed(grid))
    needs = Needs(0, (len(bias),))
    return Call((call,), (blocks, factors, _shape(shape)), (*_FILES, "helium/rows"), needs)


def _strided(graph: Graph, node: Node, op: Conv2d) -> Call | None:
    """A convolution of single pixels, some of which it leaves out."""
    found = _weights(graph, node, 0)
    if found is None:
        return None
    constants, grid = found
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    shape = (*x.shape, *y.shape, 1, 1, *op.stride, 0, 0, 1, 1, 0, x.zero_point, *_bounds(grid))
    codes = graph.constant(node.inputs[1])
    bits = _bits(graph, node)
    call = c_call("helium_conv2d_strided", *_ROW_OPERANDS, bits, _is_signed(grid))
    needs = Needs(0, (by_row(x, y, lambda row: row * op.stride[0]),))
    blocks = _blocks(codes.reshape(len(codes), -1), bits)
    return Call(
        (call,), (blocks, _factors(constants, bits), _shape(shape)), (*_FILES, "helium/conv2d"), needs
    )


def _weights(graph: Graph, node: Node, output_axis: int) -> tuple[tuple[Constant, ...], Bounds] | None:
    """The layer's constants and output grid; None where these kernels do not apply."""
    if any(graph.type(name).dtype != "int8" for name in (node.inputs[0], node.output)):
        return None
    constants, bits, grid = weighted(graph, node, output_axis)
    multiplier, shift = constants[2].data, constants[3].data
    shift = np.where((shift == 0) & (multiplier == 0), -1, shift)
    codes = np.moveaxis(graph.constant(node.inputs[1]), output_axis, 0).astype(np.int64)
    reach = np.abs(constants[1].data) + 128 * np.abs(codes.reshape(len(codes), -1)).sum(1)
    if shift.max() > -_is_signed(grid) or (bits < 8 and reach.max() << (8 - bits) >= LARGEST_SUM):
        return None
    return (*constants[:3], Constant("shift", "int8_t", shift)), grid


def _factors(constants: tuple[Constant, ...], bits: int) -> Constant:
    """Nine words for each block of four channels: biases, multipliers, and the shifts in one; three for the others."""
    bias, multiplier, shift = (c.data.astype(np.int64) for c in constants[1:])
    full = len(bias) // 4 * 4
    packed = (
        ((shift[:full].reshape(-1, 4) & 255) << np.array([0, 8, 16, 24]))
        .sum(1)
        .astype(np.uint32)
        .view(np.int32)
    )
    blocks = [
        bias[:full].reshape(-1, 4) << (8 - bits),
        multiplier[:full].reshape(-1, 4),
        packed.reshape(-1, 1),
    ]
    rest = np.stack([bias[full:], multiplier[full:], shift[full:]], 1)
    return Constant(
        "factors", "int32_t", np.concatenate([np.concatenate(blocks, 1).reshape(-1), rest.reshape(-1)])
    )


def _shape(numbers: tuple[int, ...]) -> Constant:
    return Constant("shape", "int32_t", np.array(numbers))


def _bounds(grid: Bounds) -> tuple[int, int, int]:
    return grid.zero_point, grid.low, grid.high


def _is_signed(grid: Bounds) -> int:
    """Whether negative results count: halves are rounded away from zero then."""
    return int(grid.low < grid.zero_point)


def _blocks(codes: np.ndarray, bits: int) -> Constant:
    """Weights (outputs, inputs) in blocks of four outputs: per 16 inputs 4 x 16, then 4 x rest; others row by row.

    A vector that begins at the last weight of a rest may be read, so there is something behind it.
    """
    outputs, inputs = codes.shape
    if bits < 8:
        return _narrow_blocks(codes, bits)
    whole, full = inputs // LANES * LANES, outputs // 4 * 4
    parts = []
    for block in codes[:full].reshape(-1, 4, inputs):
        parts += [
            block[:, :whole].reshape(4, -1, LANES).transpose(1, 0, 2).reshape(-1),
            block[:, whole:].reshape(-1),
        ]
    slack = np.zeros(LANES - inputs % LANES if inputs % LANES else 0, np.int8)
    return Constant("weight", "int8_t", np.concatenate([*parts, codes[full:].reshape(-1), slack]))


def _narrow_blocks(codes: np.ndarray, bits: int) -> Constant:
    """Weights (outputs, inputs) in blocks as kernels/helium/dot.c states them; others row by row, as bytes."""
    outputs, inputs = codes.shape
    full = outputs // 4 * 4
    padded = np.pad(codes[:full], ((0, 0), (0, -inputs % LANES)))
    groups = padded.reshape(full // 4, 4, padded.shape[1] // LANES, LANES).transpose(0, 2, 1, 3)
    return Constant(
        "weight", "int8_t", np.concatenate([_in_bytes(groups, bits).reshape(-1), codes[full:].reshape(-1)])
    )


def _turned(codes: np.ndarray, bits: int) -> Constant:
    """Depthwise weights (kh, kw, outputs) by outputs (kw, kh), narrow ones by fours, which end with the last output."""
    taps = codes.transpose(2, 1, 0).reshape(codes.shape[2], -1)
    if bits < 8:
        starts = np.minimum(np.arange(0, len(taps), 4), len(taps) - 4)
        taps = _in_bytes(taps[starts[:, None] + np.arange(4)], bits)
    return Constant("weight", "int8_t", taps.reshape(-1))


def _in_bytes(groups: np.ndarray, bits: int) -> np.ndarray:
    """(…, 4, n) codes as (…, bits / 2, n) bytes: neighbours in one byte, the first lowest."""
    together = 8 // bits
    fields = groups.astype(np.int64).reshape(*groups.shape[:-2], bits // 2, together, groups.shape[-1])
    fields = (fields & ((1 << bits) - 1)) << (bits * np.arange(together))[:, None]
    return fields.sum(-2).astype(np.uint8).view(np.int8)


def _bits(graph: Graph, node: Node) -> int:
    return BITS[graph.type(node.inputs[1]).dtype]


_LOOKUP = _as_portable(arithmetic.elementwise)

HELIUM: Mapping[str, Callable[[Graph, Node], Call | None]] = {
    "add": add, "average_pool2d": _as_portable(pools.average_pool2d), "conv2d": conv2d,
    "depthwise_conv2d": depthwise_conv2d, "hard_swish": _LOOKUP, "leaky_relu": _LOOKUP, "linear": linear,
    "max_pool2d": _as_portable(pools.max_pool2d), "relu": _LOOKUP, "relu6": _LOOKUP, "sigmoid": _LOOKUP,
    "tanh": _LOOKUP,
}  # fmt: skip

"""Calls of Helium kernels: Cortex-M55 and M85, sixteen products of int8 in one instruction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod

import numpy as np

from pintsize.arithmetic import Grid, add_factors
from pintsize.graph import Graph, Node
from pintsize.ops import Add, Conv2d, DepthwiseConv2d, Linear
from pintsize.passes.plan_memory import Needs
from pintsize.write.c.calls import arithmetic, pools
from pintsize.write.c.calls.call import Call, Constant, c_call
from pintsize.write.c.calls.distances import by_pixel, by_row
from pintsize.write.c.calls.numbers import WEIGHTS, grid_of, weighted

LANES = 16
#: taps of a depthwise window: their order is kept in int8
LARGEST_WINDOW = 127

#: kernel files under those of the layers
_FILES = ("requantize", "helium/primitives", "helium/blocks")
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
    blocks = _blocks(codes.transpose(0, 2, 1, 3).reshape(len(codes), -1))
    dilated = int(op.dilation[1] > 1)
    call = c_call("helium_conv2d", *_ROW_OPERANDS, "scratch", dilated, _is_signed(grid))
    columns_by_residue = -(-columns // op.dilation[1]) * op.dilation[1]
    distance = by_row(x, y, lambda row: (row + 1) * op.stride[0] - top)
    needs = Needs(columns_by_residue * kh * x.shape[2] + LANES, (distance,))
    return Call((call,), (blocks, _factors(constants), _shape(shape)), (*_FILES, "helium/conv2d"), needs)


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
    single = int(op.multiplier == 1)
    call = c_call(
        "helium_depthwise_conv2d", "x0", "y", *WEIGHTS, "{shape}", "scratch", kh, kw, kh * op.stride[1], single,
        _is_signed(grid),
    )  # fmt: skip
    turned = Constant("weight", "int8_t", graph.constant(node.inputs[1]).transpose(2, 1, 0).reshape(-1))
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
    grid = grid_of(y).bounded(op.activation)
    found = add_factors(*(grid_of(kind).scale for kind in (a, b, y)))
    left, right, out = ((int(m[0]), int(s[0])) for m, s in (found.a, found.b, found.out))
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
    blocks = _blocks(codes.reshape(outputs, inputs))
    if count == 1:
        return _row(constants, grid, blocks, inputs)
    shape = (count, inputs, outputs, *_bounds(grid))
    call = c_call("helium_rows", *_ROW_OPERANDS, _is_signed(grid))
    needs = Needs(0, (by_pixel(count, inputs, outputs, together=2),))
    return Call((call,), (blocks, _factors(constants), _shape(shape)), (*_FILES, "helium/rows"), needs)


def _row(constants: tuple[Constant, ...], grid: Grid, blocks: Constant, inputs: int) -> Call:
    bias, multiplier, shift = (c.data for c in constants[1:])
    full = len(bias) // 4 * 4
    uniform = full > 0 and bool((multiplier == multiplier[0]).all() and (shift == shift[0]).all())
    factors = _factors(constants)
    if uniform:
        rest = factors.data[full // 4 * 9 :]
        factors = Constant("factors", "int32_t", np.concatenate([bias[:full], rest]))
    shape = (inputs, len(bias), *_bounds(grid), int(multiplier[0]), int(shift[0]))
    call = c_call("helium_row", *_ROW_OPERANDS, int(uniform), _is_signed(grid))
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
    call = c_call("helium_conv2d_strided", *_ROW_OPERANDS, _is_signed(grid))
    needs = Needs(0, (by_row(x, y, lambda row: row * op.stride[0]),))
    blocks = _blocks(codes.reshape(len(codes), -1))
    return Call((call,), (blocks, _factors(constants), _shape(shape)), (*_FILES, "helium/conv2d"), needs)


def _weights(graph: Graph, node: Node, output_axis: int) -> tuple[tuple[Constant, ...], Grid] | None:
    """The layer's constants and output grid; None where these kernels do not apply."""
    kinds = graph.type(node.inputs[0]), graph.type(node.inputs[1]), graph.type(node.output)
    if any(kind.dtype != "int8" for kind in kinds):
        return None
    constants, _, grid = weighted(graph, node, output_axis)
    multiplier, shift = constants[2].data, constants[3].data
    shift = np.where((shift == 0) & (multiplier == 0), -1, shift)
    if shift.max() > -_is_signed(grid):
        return None
    return (*constants[:3], Constant("shift", "int8_t", shift)), grid


def _factors(constants: tuple[Constant, ...]) -> Constant:
    """Nine words for each block of four channels: biases, multipliers, and the shifts in one; three for the others."""
    bias, multiplier, shift = (c.data.astype(np.int64) for c in constants[1:])
    full = len(bias) // 4 * 4
    packed = (
        ((shift[:full].reshape(-1, 4) & 255) << np.array([0, 8, 16, 24]))
        .sum(1)
        .astype(np.uint32)
        .view(np.int32)
    )
    blocks = [bias[:full].reshape(-1, 4), multiplier[:full].reshape(-1, 4), packed.reshape(-1, 1)]
    rest = np.stack([bias[full:], multiplier[full:], shift[full:]], 1)
    return Constant(
        "factors", "int32_t", np.concatenate([np.concatenate(blocks, 1).reshape(-1), rest.reshape(-1)])
    )


def _shape(numbers: tuple[int, ...]) -> Constant:
    return Constant("shape", "int32_t", np.array(numbers))


def _bounds(grid: Grid) -> tuple[int, int, int]:
    return grid.zero_point, grid.low, grid.high


def _is_signed(grid: Grid) -> int:
    """Whether negative results count: halves are rounded away from zero then."""
    return int(grid.low < grid.zero_point)


def _blocks(codes: np.ndarray) -> Constant:
    """Weights (outputs, inputs) in blocks of four outputs: per 16 inputs 4 x 16, then 4 x rest; others row by row.

    A vector that begins at the last weight of a rest may be read, so there is something behind it.
    """
    outputs, inputs = codes.shape
    whole, full = inputs // LANES * LANES, outputs // 4 * 4
    parts = []
    for block in codes[:full].reshape(-1, 4, inputs):
        parts += [
            block[:, :whole].reshape(4, -1, LANES).transpose(1, 0, 2).reshape(-1),
            block[:, whole:].reshape(-1),
        ]
    slack = np.zeros(LANES - inputs % LANES if inputs % LANES else 0, np.int8)
    return Constant("weight", "int8_t", np.concatenate([*parts, codes[full:].reshape(-1), slack]))


_LOOKUP = _as_portable(arithmetic.elementwise)

HELIUM: Mapping[str, Callable[[Graph, Node], Call | None]] = {
    "add": add, "average_pool2d": _as_portable(pools.average_pool2d), "conv2d": conv2d,
    "depthwise_conv2d": depthwise_conv2d, "hard_swish": _LOOKUP, "leaky_relu": _LOOKUP, "linear": linear,
    "max_pool2d": _as_portable(pools.max_pool2d), "relu": _LOOKUP, "relu6": _LOOKUP, "sigmoid": _LOOKUP,
    "tanh": _LOOKUP,
}  # fmt: skip

"""Portable calls of the layers with weights: convolutions and matrix products."""

from __future__ import annotations

from math import prod

import numpy as np

from pintsize.graph import Graph, Node
from pintsize.ops import Conv2d, DepthwiseConv2d, Linear
from pintsize.passes.plan_memory import Needs
from pintsize.write.c.calls.call import Call, Constant, c_call
from pintsize.write.c.calls.distances import by_pixel, by_row
from pintsize.write.c.calls.numbers import WEIGHTS, weighted

#: rows of numbers that the kernels multiply with the weights at a time
TOGETHER = 2
#: outputs of a band and channel of a depthwise layer, at least, that make the setting up of a channel worth while
BAND_OUTPUTS = 64
#: below this many channels the plane of a whole channel is no smaller than what in-place saves
IN_PLACE_CHANNELS = 8
ROWS = ("requantize", "dot", "rows")


def conv2d(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Conv2d)
    x, w, y = (graph.type(n) for n in (node.inputs[0], node.inputs[1], node.output))
    if w.shape[1:3] == op.stride == (1, 1) and not any(op.padding):
        return _rows(graph, node)
    constants, bits, grid = weighted(graph, node, 0)
    top, _, left, _ = op.padding
    call = c_call(
        "conv2d", "x0", "y", *WEIGHTS, "scratch", *x.shape, *y.shape, *w.shape[1:3], *op.stride, top, left,
        *op.dilation, int(any(op.padding)), bits, _most(constants), x.zero_point, grid.zero_point, grid.low, grid.high,
    )  # fmt: skip
    pitch = -(-x.shape[2] * bits // 8) * 8 // bits
    distance = by_row(x, y, lambda row: row * op.stride[0] - top)
    windows = min(TOGETHER, y.shape[0] * y.shape[1])
    needs = Needs(windows * w.shape[1] * w.shape[2] * pitch, (distance,))
    return Call((call,), constants, (*ROWS, "conv2d"), needs)


def depthwise_conv2d(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, DepthwiseConv2d)
    x, w, y = (graph.type(n) for n in (node.inputs[0], node.inputs[1], node.output))
    constants, bits, grid = weighted(graph, node, 2)
    top, _, left, _ = op.padding
    kh, kw = w.shape[:2]
    in_place = x.shape == y.shape and x.shape[2] >= IN_PLACE_CHANNELS
    band = y.shape[0] if in_place else min(y.shape[0], -(-BAND_OUTPUTS // y.shape[1]))
    rows, pitch = ((n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip(
        (band, y.shape[1]), op.stride, (kh, kw), op.dilation, strict=True))  # fmt: skip
    call = c_call(
        "depthwise_conv2d", "x0", "y", *WEIGHTS, "scratch", *x.shape, *y.shape[:2], op.multiplier, kh, kw, *op.stride,
        top, left, *op.dilation, band, pitch, bits, _most(constants), x.zero_point,
        grid.zero_point, grid.low, grid.high,
    )  # fmt: skip
    distance = by_row(x, y, lambda row: row // band * band * op.stride[0] - top)
    needs = Needs(rows * pitch + kh * kw, (distance,), in_place)
    return Call((call,), constants, (*ROWS, "depthwise_conv2d"), needs)


def linear(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Linear)
    return _rows(graph, node)


def _rows(graph: Graph, node: Node) -> Call:
    """Rows that lie next to each other, times weights."""
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    constants, bits, grid = weighted(graph, node, 0)
    shape = prod(x.shape[:-1]), x.shape[-1], y.shape[-1]
    call = c_call(
        "linear", "x0", "y", *WEIGHTS, *shape, bits, _most(constants), grid.zero_point, grid.low, grid.high
    )
    return Call((call,), constants, (*ROWS, "linear"), Needs(0, (by_pixel(*shape, TOGETHER),)))


def _most(constants: tuple[Constant, ...]) -> int:
    """The largest shift, at least -1 and at most 1: what the kernels tell apart."""
    return int(np.clip(constants[3].data.max(), -1, 1))

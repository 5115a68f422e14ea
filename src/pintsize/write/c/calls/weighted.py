"""Portable calls of the layers with weights: convolutions and matrix products."""

from __future__ import annotations

from math import prod

from pintsize.graph import Graph, Node
from pintsize.ops import Conv2d, DepthwiseConv2d, Linear
from pintsize.write.c.calls.call import Call, c_call
from pintsize.write.c.calls.numbers import WEIGHTS, weighted


def conv2d(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Conv2d)
    x, w, y = (graph.type(n) for n in (node.inputs[0], node.inputs[1], node.output))
    constants, bits, grid = weighted(graph, node, 0)
    top, _, left, _ = op.padding
    call = c_call(
        "conv2d", "x0", "y", *WEIGHTS, *x.shape, *y.shape, *w.shape[1:3], *op.stride, top, left, *op.dilation,
        int(any(op.padding)), bits, x.zero_point, grid.zero_point, grid.low, grid.high,
    )  # fmt: skip
    return Call((call,), constants, ("requantize", "dot", "conv2d"))


def depthwise_conv2d(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, DepthwiseConv2d)
    x, w, y = (graph.type(n) for n in (node.inputs[0], node.inputs[1], node.output))
    constants, bits, grid = weighted(graph, node, 2)
    top, _, left, _ = op.padding
    call = c_call(
        "depthwise_conv2d", "x0", "y", *WEIGHTS, *x.shape, *y.shape[:2], op.multiplier, *w.shape[:2], *op.stride,
        top, left, *op.dilation, bits, x.zero_point, grid.zero_point, grid.low, grid.high,
    )  # fmt: skip
    return Call((call,), constants, ("requantize", "dot", "depthwise_conv2d"))


def linear(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Linear)
    x, w = graph.type(node.inputs[0]), graph.type(node.inputs[1])
    constants, bits, grid = weighted(graph, node, 0)
    rows = prod(x.shape[:-1])
    call = c_call(
        "linear", "x0", "y", *WEIGHTS, rows, *w.shape[::-1], bits, grid.zero_point, grid.low, grid.high
    )  # fmt: skip
    return Call((call,), constants, ("requantize", "dot", "linear"))

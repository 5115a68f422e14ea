"""Portable call of the transposed convolution."""

from __future__ import annotations

from pintsize.graph import Graph, Node
from pintsize.ops import TransposeConv2d
from pintsize.write.c.calls.call import Call, Constant, c_call
from pintsize.write.c.calls.numbers import WEIGHTS, weighted


def transpose_conv2d(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, TransposeConv2d)
    x, w, y = (graph.type(n) for n in (node.inputs[0], node.inputs[1], node.output))
    constants, bits, grid = weighted(graph, node, 0)
    plain_bias = Constant("bias", "int32_t", graph.constant(node.inputs[2]))
    top, _, left, _ = op.padding
    call = c_call(
        "transpose_conv2d", "x0", "y", *WEIGHTS, *x.shape, *y.shape, *w.shape[1:3], *op.stride, top, left, bits,
        x.zero_point, grid.zero_point, grid.low, grid.high,
    )  # fmt: skip
    kept = tuple(plain_bias if c.name == "bias" else c for c in constants)
    return Call((call,), kept, ("requantize", "dot", "transpose_conv2d"))

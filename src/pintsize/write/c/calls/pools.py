"""Portable calls of the pools."""

from __future__ import annotations

from pintsize.graph import Graph, Node, TensorType
from pintsize.ops import AveragePool2d, MaxPool2d
from pintsize.passes.plan_memory import Needs
from pintsize.write.c.calls.call import Call, c_call
from pintsize.write.c.calls.distances import by_row


def max_pool2d(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, MaxPool2d)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    top, _, left, _ = op.padding
    call = c_call(
        "max_pool2d", "x0", "y", *x.shape, *y.shape[:2], *op.kernel, *op.stride, top, left, *op.dilation
    )  # fmt: skip
    return Call((call,), (), ("max_pool2d",), _needs(op, x, y))


def average_pool2d(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, AveragePool2d)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    top, _, left, _ = op.padding
    call = c_call("average_pool2d", "x0", "y", *x.shape, *y.shape[:2], *op.kernel, *op.stride, top, left)
    return Call((call,), (), ("average_pool2d",), _needs(op, x, y))


def _needs(op: MaxPool2d | AveragePool2d, x: TensorType, y: TensorType) -> Needs:
    return Needs(0, (by_row(x, y, lambda row: row * op.stride[0] - op.padding[0]),))

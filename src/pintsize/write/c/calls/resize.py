"""Portable calls of both ways to resize an image."""

from __future__ import annotations

from math import prod

import numpy as np

from pintsize.graph import Graph, Node
from pintsize.ops import ResizeBilinear, ResizeNearest
from pintsize.passes.plan_memory import Needs
from pintsize.write.c.calls.call import Call, Constant, c_call
from pintsize.write.c.calls.selection import distance_of_runs


def nearest(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, ResizeNearest)
    height, width, _ = graph.type(node.inputs[0]).shape
    rows = np.array(op.sources(height, op.size[0]))
    columns = np.array(op.sources(width, op.size[1]))
    return _call("resize_nearest", graph, node, rows, columns)


def bilinear(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, ResizeBilinear)
    height, width, _ = graph.type(node.inputs[0]).shape
    rows, columns = (
        np.stack([taken.lower, taken.upper, taken.weight], 1)
        for taken in (op.sources(height, op.size[0]), op.sources(width, op.size[1]))
    )
    return _call("resize_bilinear", graph, node, rows, columns)


def _call(kernel: str, graph: Graph, node: Node, rows: np.ndarray, columns: np.ndarray) -> Call:
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    constants = (Constant("rows", "int16_t", rows), Constant("columns", "int16_t", columns))
    call = c_call(kernel, "x0", "y", "{rows}", "{columns}", x.shape[1], *y.shape)
    first_rows = rows.reshape(len(rows), -1)[:, 0] * prod(x.shape[1:])
    return Call(
        (call,), constants, (kernel,), Needs(distances=(distance_of_runs(first_rows, prod(y.shape[1:])),))
    )

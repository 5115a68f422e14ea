"""Portable calls of what keeps the last columns of a stream."""

from __future__ import annotations

from math import prod

from pintsize.graph import Graph, Node
from pintsize.ops import RunningAverage, Slide
from pintsize.passes.plan_memory import Needs
from pintsize.write.c.calls.call import Call, c_call


def slide(graph: Graph, node: Node) -> Call:
    """In bytes, so for codes of any width."""
    assert isinstance(node.op, Slide)
    window, new = (graph.type(name) for name in node.inputs)
    axis = node.op.axis % len(window.shape)
    rows = prod(window.shape[:axis])
    fresh = new.activation_bytes // rows
    call = c_call("slide", "x0", "x1", "y", rows, window.activation_bytes // rows - fresh, fresh)
    return Call((call,), (), ("slide",), Needs(in_place=True))


def running_average(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, RunningAverage)
    x = graph.type(node.inputs[0])
    height, width, channels = x.shape
    memory = ("state0", "state1") if node.carried else (f"scratch + {4 * channels}", "scratch")
    along = (
        (height, width, width * channels, channels)
        if op.axis == 0
        else (width, height, channels, width * channels)
    )
    fresh, rows, column_step, row_step = along
    call = c_call(
        "running_average", "x0", "y", *memory, op.columns, fresh, rows, channels, column_step, row_step,
        not node.carried, x.zero_point,
    )  # fmt: skip
    scratch_bytes = 0 if node.carried else (4 + 2 * op.columns) * channels
    return Call((call,), (), ("dot", "codes16", "slide", "running_average"), Needs(scratch_bytes))

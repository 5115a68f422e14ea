"""Portable calls of what only moves numbers."""

from __future__ import annotations

from math import prod

from pintsize.graph import Graph, Node
from pintsize.ops import Concat, Pad, Reshape, Transpose
from pintsize.write.c.calls.call import Call, Invocation, c_call
from pintsize.write.c.calls.numbers import factor, scales_float64


def concat(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Concat)
    y = graph.type(node.output)
    rows, width, offset = prod(y.shape[:-1]), y.shape[-1], 0
    statements: list[Invocation] = []
    for i, name in enumerate(node.inputs):
        x = graph.type(name)
        geometry = (f"x{i}", f"y + {offset}", rows, x.shape[-1], width)
        if (x.scale, x.zero_point) == (y.scale, y.zero_point):
            statements.append(c_call("concat_copy", *geometry))
        else:
            real = scales_float64(x)[0] / scales_float64(y)[0]
            statements.append(c_call("concat_rescale", *geometry, x.zero_point, *factor(real), y.zero_point))
        offset += x.shape[-1]
    return Call(tuple(statements), (), ("requantize", "concat"))


def pad(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Pad)
    x = graph.type(node.inputs[0])
    return Call((c_call("pad", "x0", "y", *x.shape, *node.op.padding, x.zero_point),), (), ("pad",))


def reshape(graph: Graph, node: Node) -> Call:
    """Only reached when input and output are both the caller's: elsewhere they share a buffer."""
    assert isinstance(node.op, Reshape)
    return Call((c_call("memcpy", "y", "x0", graph.type(node.output).elements),), (), ())


def transpose(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Transpose)
    before, after = graph.type(node.inputs[0]).shape, graph.type(node.output).shape
    strides = [prod(before[a + 1 :]) for a in node.op.axes]
    missing = 4 - len(after)
    call = c_call("transpose", "x0", "y", *[1] * missing, *after, *[0] * missing, *strides)
    return Call((call,), (), ("transpose",))

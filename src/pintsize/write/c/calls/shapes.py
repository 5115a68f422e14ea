"""Portable calls of what only moves numbers."""

from __future__ import annotations

from math import prod

from pintsize.graph import Graph, Node
from pintsize.ops import Concat, Pad, Reshape, Transpose
from pintsize.passes.plan_memory import Needs
from pintsize.write.c.calls.call import Call, Invocation, c_call
from pintsize.write.c.calls.numbers import factor, operands, scales_float64


def concat(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Concat)
    y = graph.type(node.output)
    axis = node.op.axis % len(y.shape)
    rows, width, offset = prod(y.shape[:axis]), prod(y.shape[axis:]), 0
    statements: list[Invocation] = []
    pointers, constants = operands(graph, node)
    for pointer, name in zip(pointers, node.inputs, strict=True):
        x = graph.type(name)
        run = prod(x.shape[axis:])
        geometry = (pointer, f"y + {offset}", rows, run, width)
        if (x.scale, x.zero_point) == (y.scale, y.zero_point):
            statements.append(c_call("concat_copy", *geometry))
        else:
            real = scales_float64(x)[0] / scales_float64(y)[0]
            statements.append(c_call("concat_rescale", *geometry, x.zero_point, *factor(real), y.zero_point))
        offset += run
    return Call(tuple(statements), constants, ("requantize", "concat"))


def pad(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Pad)
    x = graph.type(node.inputs[0])
    around = [n for pair in ((0, 0),) * (4 - len(x.shape)) + tuple(node.op.pairs(len(x.shape))) for n in pair]
    geometry = (*[1] * (4 - len(x.shape)), *x.shape, *around)
    if node.op.mode == "constant":
        call = c_call("pad", "x0", "y", *geometry, node.op.code(x.scale[0], x.zero_point, x.code_bits))
        return Call((call,), (), ("pad",), Needs(distances=(_behind(node.op, x.shape),)))
    call = c_call("pad_mirrored", "x0", "y", *geometry, node.op.mode == "edge", node.op.mode == "reflect")
    return Call((call,), (), ("pad",))


def _behind(op: Pad, shape: tuple[int, ...]) -> int:
    """How far the last number moves: as far behind its place the input must begin, for all are read in order."""
    place = 0
    for n, (before, after) in zip(shape, op.pairs(len(shape)), strict=True):
        place = place * (before + n + after) + before + n - 1
    return place - (prod(shape) - 1)


def reshape(graph: Graph, node: Node) -> Call:
    """Only reached when input and output are both the caller's: elsewhere they share a buffer."""
    assert isinstance(node.op, Reshape)
    return Call((c_call("memcpy", "y", "x0", graph.type(node.output).activation_bytes),), (), ())


def transpose(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Transpose)
    before, after = graph.type(node.inputs[0]).shape, graph.type(node.output).shape
    strides = [prod(before[a + 1 :]) for a in node.op.axes]
    missing = 4 - len(after)
    call = c_call("transpose", "x0", "y", *[1] * missing, *after, *[0] * missing, *strides)
    return Call((call,), (), ("transpose",))

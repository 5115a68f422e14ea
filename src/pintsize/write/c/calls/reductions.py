"""Portable calls of what looks along whole axes: sums, means, where the largest number is."""

from __future__ import annotations

from math import prod

from pintsize.fixed_point import log_softmax_factors
from pintsize.graph import Graph, Node
from pintsize.ops import Argmax, LogSoftmax
from pintsize.ops.reduction import Reduction
from pintsize.write.c.calls.call import Call, c_call
from pintsize.write.c.calls.numbers import scales_float64
from pintsize.write.c.calls.selection import four


def reduction(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Reduction)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    summed = op.summed(x.shape)
    kept = four(tuple(1 if a in summed else n for a, n in enumerate(x.shape)))
    reduced = four(tuple(n if a in summed else 1 for a, n in enumerate(x.shape)))
    strides = four(tuple(prod(x.shape[a + 1 :]) for a in range(len(x.shape))), 0)
    scale_in, scale_out = (float(scales_float64(kind)[0]) for kind in (x, y))
    multiplier, exponent = op.factor(scale_in, scale_out, prod(reduced))
    call = c_call(
        "reduce", "x0", "y", *kept, *reduced, *strides, x.zero_point * prod(reduced), multiplier, exponent,
        y.zero_point,
    )  # fmt: skip
    return Call((call,), (), ("requantize", "reduce"))


def argmax(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Argmax)
    shape = graph.type(node.inputs[0]).shape
    axis = node.op.axis % len(shape)
    call = c_call("argmax", "x0", "y", prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :]))
    return Call((call,), (), ("argmax",))


def log_softmax(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, LogSoftmax)
    x = graph.type(node.inputs[0])
    constants = log_softmax_factors(float(scales_float64(x)[0]))
    call = c_call(
        "log_softmax", "x0", "y", prod(x.shape[:-1]), x.shape[-1], constants.forward.multiplier,
        constants.forward.exponent, constants.forward.least_difference, constants.multiplier, -constants.exponent,
    )  # fmt: skip
    return Call((call,), (), ("requantize", "softmax", "softmax_log"))

"""Portable calls of minima and maxima, and of a rectifier with a slope per channel."""

from __future__ import annotations

from pintsize.graph import Graph, Node, TensorType
from pintsize.ops import Maximum, Prelu
from pintsize.ops.extremum import Extremum
from pintsize.write.c.calls.call import Call, c_call
from pintsize.write.c.calls.numbers import factor, operands, scales_float64, walk


def extremum(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Extremum)
    a, b, y = (graph.type(n) for n in (*node.inputs, node.output))
    pointers, constants = operands(graph, node)
    call = c_call(
        "extremum",
        *pointers,
        "y",
        *walk(a, b),
        isinstance(node.op, Maximum),
        *_onto(a, y),
        *_onto(b, y),
        y.zero_point,
    )
    return Call((call,), constants, ("requantize", "extremum"))


def _onto(x: TensorType, y: TensorType) -> tuple[int, ...]:
    """Does x need rescaling, then its zero point and the factor."""
    if (x.scale, x.zero_point) == (y.scale, y.zero_point):
        return 0, 0, 0, 0
    return 1, x.zero_point, *factor(scales_float64(x)[0] / scales_float64(y)[0])


def prelu(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Prelu)
    x, slope, y = (graph.type(n) for n in (*node.inputs, node.output))
    rising = scales_float64(x)[0] / scales_float64(y)[0]
    falling = scales_float64(x)[0] * scales_float64(slope)[0] / scales_float64(y)[0]
    pointers, constants = operands(graph, node)
    call = c_call(
        "prelu", *pointers, "y", *walk(x, slope), x.zero_point, slope.zero_point, *factor(rising), *factor(falling),
        y.zero_point,
    )  # fmt: skip
    return Call((call,), constants, ("requantize", "prelu"))

"""Portable calls of layers whose activations are int16 (zero point 0)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod

import numpy as np

from pintsize.arithmetic import (
    ADD_LEFT_SHIFT_INT16,
    Grid,
    add_factors,
    pack,
    quantize_multiplier,
    reduced_multiplier,
)
from pintsize.errors import UnsupportedOp
from pintsize.graph import BITS, Graph, Node, Tensor, TensorType
from pintsize.interpolated import sigmoid_factor, tanh_factor
from pintsize.ops import Add, Concat, Conv2d, DepthwiseConv2d, Linear, Mul, Transpose
from pintsize.passes.plan_memory import Needs
from pintsize.write.c.calls import pools, recurrent, selection, shapes, signals, stream
from pintsize.write.c.calls.call import Call, Constant, Invocation, c_call
from pintsize.write.c.calls.embedding import embedding
from pintsize.write.c.calls.numbers import WEIGHTS, factor, grid_of, operands, scales_float64, walk

INT32_MAX = 2**31 - 1
WEIGHTED = ("dot", "codes16")
ARITHMETIC = ("requantize", "dot", "codes16")


def _weighted(
    graph: Graph, node: Node, output_axis: int
) -> tuple[tuple[Constant, ...], tuple[int, int], Grid]:
    """The constants of a layer with weights; (width of the weights, may sums leave 32 bits); the bounded grid."""
    x, w, y = graph.type(node.inputs[0]), graph.type(node.inputs[1]), graph.type(node.output)
    codes, bias = graph.constant(node.inputs[1]), graph.constant(node.inputs[2])
    others = tuple(a for a in range(codes.ndim) if a != output_axis)
    reach = np.abs(codes.astype(np.int64)).sum(others) * node.op.largest_weighed(x)
    multiplier, exponent = quantize_multiplier(np.broadcast_to(_factors(x, w, y), bias.shape))
    bits = BITS[w.dtype]
    constants = (
        Constant("weight", "int8_t", pack(codes, bits).view(np.int8).reshape(-1)),
        Constant("bias", "int32_t", bias),
        Constant("multiplier", "int16_t", reduced_multiplier(multiplier)),
        Constant("shift", "int8_t", 15 - exponent),
    )
    grid = grid_of(y).bounded(getattr(node.op, "activation", "none"))
    return constants, (bits, int(reach.max() > INT32_MAX)), grid


def _factors(x: TensorType, w: TensorType, y: TensorType) -> np.ndarray:
    return scales_float64(x) * scales_float64(w) / scales_float64(y)


def conv2d(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Conv2d)
    x, w, y = (graph.type(n) for n in (node.inputs[0], node.inputs[1], node.output))
    constants, widths, grid = _weighted(graph, node, 0)
    top, _, left, _ = op.padding
    call = c_call(
        "conv2d_int16", "x0", "y", *WEIGHTS, *x.shape, *y.shape, *w.shape[1:3], *op.stride, top, left, *op.dilation,
        *widths, grid.low, grid.high,
    )  # fmt: skip
    return Call((call,), constants, (*WEIGHTED, "conv2d_int16"))


def depthwise_conv2d(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, DepthwiseConv2d)
    x, w, y = (graph.type(n) for n in (node.inputs[0], node.inputs[1], node.output))
    constants, widths, grid = _weighted(graph, node, 2)
    top, _, left, _ = op.padding
    call = c_call(
        "depthwise_conv2d_int16", "x0", "y", *WEIGHTS, *x.shape, *y.shape[:2], op.multiplier, *w.shape[:2], *op.stride,
        top, left, *op.dilation, *widths, grid.low, grid.high,
    )  # fmt: skip
    return Call((call,), constants, (*WEIGHTED, "depthwise_conv2d_int16"))


def linear(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Linear)
    x, w = graph.type(node.inputs[0]), graph.type(node.inputs[1])
    constants, widths, grid = _weighted(graph, node, 0)
    call = c_call(
        "linear_int16", "x0", "y", *WEIGHTS, prod(x.shape[:-1]), *w.shape[::-1], *widths, grid.low, grid.high
    )  # fmt: skip
    return Call((call,), constants, (*WEIGHTED, "linear_int16"))


def add(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Add)
    a, b, y = (graph.type(n) for n in (*node.inputs, node.output))
    grid = grid_of(y).bounded(op.activation)
    found = add_factors(*(grid_of(t).scale for t in (a, b, y)), shift=ADD_LEFT_SHIFT_INT16)
    literals = [(int(m[0]), int(s[0])) for m, s in (found.a, found.b, found.out)]
    pointers, constants = operands(graph, node)
    call = c_call(
        "add_int16", *pointers, "y", *walk(a, b), *literals[0], *literals[1], *literals[2], grid.low, grid.high
    )  # fmt: skip
    return Call((call,), constants, (*ARITHMETIC, "add_int16"))


def mul(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Mul)
    a, b, y = (graph.type(n) for n in (*node.inputs, node.output))
    grid = grid_of(y).bounded(op.activation)
    real = scales_float64(a)[0] * scales_float64(b)[0] / scales_float64(y)[0]
    pointers, constants = operands(graph, node)
    call = c_call("mul_int16", *pointers, "y", *walk(a, b), *factor(real), grid.low, grid.high)
    return Call((call,), constants, (*ARITHMETIC, "mul_int16"))


def sigmoid(graph: Graph, node: Node) -> Call:
    return _interpolated("sigmoid_int16", graph.type(node.inputs[0]), sigmoid_factor)


def tanh(graph: Graph, node: Node) -> Call:
    return _interpolated("tanh_int16", graph.type(node.inputs[0]), tanh_factor)


def _interpolated(function: str, x: TensorType, to_steps: Callable[[float], tuple[int, int]]) -> Call:
    call = c_call(function, "x0", "y", x.elements, *to_steps(x.scale[0]))
    return Call((call,), (), ("dot", "codes16", "sigmoid_table", "interpolate_int16"))


def requantize(graph: Graph, node: Node) -> Call:
    """Between the widths; from int8 to int8 it is a table."""
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    scaling = factor(scales_float64(x)[0] / scales_float64(y)[0])
    if x.dtype == y.dtype:
        call = c_call("rescale_int16", "x0", "y", x.elements, *scaling)
        return Call((call,), (), (*ARITHMETIC, "requantize_int16"))
    if x.dtype == "int8":
        call = c_call("widen", "x0", "y", x.elements, x.zero_point, *scaling)
    else:
        call = c_call("narrow", "x0", "y", x.elements, *scaling, y.zero_point)
    # a wide output runs ahead of what is still to be read, by a byte a number
    distance = 0 if x.dtype == "int16" else x.elements
    return Call((call,), (), (*ARITHMETIC, "requantize_int16"), Needs(distances=(distance,)))


def max_pool2d(graph: Graph, node: Node) -> Call:
    call = pools.max_pool2d(graph, node)
    (work,) = call.invocations
    return Call((replace(work, function="max_pool2d_int16"),), (), (*WEIGHTED, "max_pool2d_int16"))


def average_pool2d(graph: Graph, node: Node) -> Call:
    call = pools.average_pool2d(graph, node)
    (work,) = call.invocations
    return Call((replace(work, function="average_pool2d_int16"),), (), (*WEIGHTED, "average_pool2d_int16"))


def concat(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Concat)
    y = graph.type(node.output)
    axis = node.op.axis % len(y.shape)
    rows, width, offset = prod(y.shape[:axis]), prod(y.shape[axis:]), 0
    statements: list[Invocation] = []
    pointers, constants = operands(graph, node)
    for pointer, name in zip(pointers, node.inputs, strict=True):
        x = graph.type(name)
        run, same = prod(x.shape[axis:]), x.scale == y.scale
        scaling = factor(scales_float64(x)[0] / scales_float64(y)[0])
        statements.append(
            c_call("concat_int16", pointer, f"y + {2 * offset}", rows, run, width, same, *scaling)
        )
        offset += run
    return Call(tuple(statements), constants, (*ARITHMETIC, "concat_int16"))


def moved(graph: Graph, node: Node) -> Call:
    """An op that only moves numbers: pairs of bytes move as well, as a last axis of two or as twice the channels."""
    x = graph.type(node.inputs[0])
    op = node.op
    if len(x.shape) < LARGEST_RANK:
        op = replace(op, axes=(*op.axes, len(x.shape))) if isinstance(op, Transpose) else op
        changed = [_in_bytes(graph, name, (2,)) for name in (node.inputs[0], node.output)]
    else:
        changed = [_in_bytes(graph, name, ()) for name in (node.inputs[0], node.output)]
        if op.shape([changed[0].type]) != changed[1].type.shape:
            raise UnsupportedOp(
                f"{node.name} ({op.name}) at {node.source or 'an unknown place'}: int16 numbers of {x.shape} cannot "
                "move along the last of four axes; leave one axis out"
            )
    return PORTABLE[op.name](graph.with_tensors(*changed), replace(node, op=op))


def _in_bytes(graph: Graph, name: str, last: tuple[int, ...]) -> Tensor:
    tensor = graph.tensors[name]
    shape = tensor.type.shape
    shape = (*shape, *last) if last else (*shape[:-1], 2 * shape[-1])
    return replace(tensor, type=replace(tensor.type, shape=shape, dtype="int8"))


LARGEST_RANK = 4
PORTABLE: Mapping[str, Callable[[Graph, Node], Call]] = {
    "pad": shapes.pad, "slice": selection.slice_, "transpose": shapes.transpose,
}  # fmt: skip

CALLS: Mapping[str, Callable[[Graph, Node], Call]] = {
    "add": add, "average_pool2d": average_pool2d, "biquad": signals.biquad, "concat": concat, "conv2d": conv2d,
    "depthwise_conv2d": depthwise_conv2d, "embedding": embedding, "linear": linear,
    "log_mel": signals.log_mel, "lstm": recurrent.lstm_int16,
    "max_pool2d": max_pool2d, "mul": mul, "pad": moved,
    "requantize": requantize, "resample": signals.resample, "reshape": shapes.reshape,
    "sigmoid": sigmoid, "slice": moved, "slide": stream.slide,
    "tanh": tanh,
    "transpose": moved, "z_score": signals.z_score,
}  # fmt: skip

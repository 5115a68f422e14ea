"""Portable calls of sums, products and functions of one number."""

from __future__ import annotations

from math import prod

import numpy as np

from pintsize.arithmetic import Quantized, softmax_factors
from pintsize.deferred import torch
from pintsize.graph import Graph, Node
from pintsize.ops import Add, Elementwise, Mul, Softmax, Sub
from pintsize.write.c.calls.call import Call, Constant, c_call
from pintsize.write.c.calls.numbers import (
    add_literals,
    bounds_of,
    factor,
    grid_of,
    operands,
    scales_float64,
    walk,
)


def add(graph: Graph, node: Node) -> Call:
    """Sums and differences."""
    op = node.op
    assert isinstance(op, Add | Sub)
    a, b, y = (graph.type(n) for n in (*node.inputs, node.output))
    grid = bounds_of(y, op.activation)
    literals = add_literals(a, b, y)
    pointers, constants = operands(graph, node)
    call = c_call(
        "add", *pointers, "y", *walk(a, b), a.zero_point, *literals[0], b.zero_point, *literals[1], *literals[2],
        -1 if isinstance(op, Sub) else 1, grid.zero_point, grid.low, grid.high,
    )  # fmt: skip
    return Call((call,), constants, ("requantize", "add"))


def mul(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Mul)
    a, b, y = (graph.type(n) for n in (*node.inputs, node.output))
    grid = bounds_of(y, op.activation)
    real = scales_float64(a)[0] * scales_float64(b)[0] / scales_float64(y)[0]
    pointers, constants = operands(graph, node)
    call = c_call(
        "mul", *pointers, "y", *walk(a, b), a.zero_point, b.zero_point, *factor(real), grid.zero_point, grid.low,
        grid.high,
    )  # fmt: skip
    return Call((call,), constants, ("requantize", "mul"))


def elementwise(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Elementwise)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    codes = torch.zeros(0)
    table = op.table(Quantized(codes, grid_of(x).scale, x.zero_point), grid_of(y))
    constant = Constant("table", "int8_t", table.numpy().astype(np.int8))
    return Call((c_call("lookup", "x0", "y", "{table}", y.elements),), (constant,), ("lookup",))


def softmax(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Softmax)
    x = graph.type(node.inputs[0])
    constants = softmax_factors(node.op.scaled(float(scales_float64(x)[0])))
    call = c_call(
        "softmax", "x0", "y", prod(x.shape[:-1]), x.shape[-1], constants.multiplier, constants.exponent,
        constants.least_difference,
    )  # fmt: skip
    return Call((call,), (), ("requantize", "softmax"))

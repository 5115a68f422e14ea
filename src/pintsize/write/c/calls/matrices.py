"""Portable calls of what transformers are made of, beside linear layers and softmax."""

from __future__ import annotations

from math import prod

import numpy as np

from pintsize.arithmetic import layer_norm_epsilon
from pintsize.graph import Graph, Node
from pintsize.ops import LayerNorm, Matmul
from pintsize.write.c.calls.call import Call, Constant, c_call
from pintsize.write.c.calls.numbers import WEIGHTS, factor, grid_of, scales_float64, weighted


def matmul(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Matmul)
    a, b, y = (graph.type(n) for n in (*node.inputs, node.output))
    matrices, rows, inner, columns = op.sizes(a.shape, b.shape)
    step = inner * columns if prod(b.shape[:-2]) > 1 else 0
    steps_a = (1, rows) if op.transposed_a else (inner, 1)
    steps_b = (1, inner) if op.transposed_b else (columns, 1)
    grid = grid_of(y)
    real = scales_float64(a)[0] * scales_float64(b)[0] / scales_float64(y)[0]
    call = c_call(
        "matmul", "x0", "x1", "y", matrices, rows, inner, columns, step, *steps_a, *steps_b, a.zero_point,
        b.zero_point, *factor(real), grid.zero_point, grid.low, grid.high,
    )  # fmt: skip
    return Call((call,), (), ("requantize", "matmul"))


def layer_norm(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, LayerNorm)
    x = graph.type(node.inputs[0])
    constants, _, grid = weighted(graph, node, 0)
    codes, plain_bias = (graph.constant(name).reshape(-1) for name in node.inputs[1:])
    own = {
        "weight": Constant("weight", "int8_t", codes),  # one byte each, whatever their width
        "bias": Constant("bias", "int32_t", plain_bias),
    }
    epsilon = layer_norm_epsilon(op.epsilon, x.shape[-1], scales_float64(x)[0])
    halves = Constant("epsilon", "int32_t", np.array([epsilon & (2**31 - 1), epsilon >> 31]))
    call = c_call(
        "layer_norm", "x0", "y", *WEIGHTS, "{epsilon}", prod(x.shape[:-1]), x.shape[-1], grid.zero_point, grid.low,
        grid.high,
    )  # fmt: skip
    kept = tuple(own.get(c.name, c) for c in constants)
    return Call((call,), (*kept, halves), ("requantize", "layer_norm"))

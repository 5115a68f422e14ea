"""The call of the DSP kernel for sums."""

from __future__ import annotations

from math import prod

import numpy as np

from pintsize.graph import Graph, Node
from pintsize.ops import Add
from pintsize.passes.plan_memory import Needs
from pintsize.write.c.calls.call import Call, Constant, c_call
from pintsize.write.c.calls.numbers import add_literals, bounds_of

#: below this many numbers it does not pay to fill two tables
LEAST = 1024
LARGEST_SHIFT = 22
TABLES_BYTES = 2048


def add(graph: Graph, node: Node) -> Call | None:
    """None where the second operand repeats, for few numbers or no multiple of 4, for a sum's factor above 1/2."""
    op = node.op
    assert isinstance(op, Add)
    a, b, y = (graph.type(n) for n in (*node.inputs, node.output))
    of_a, of_b, (multiplier, exponent) = add_literals(a, b, y)
    fits = a.shape == b.shape and len(graph.activations(node)) == 2 and prod(a.shape) % 4 == 0
    if not fits or prod(a.shape) < LEAST or not 1 <= -exponent <= LARGEST_SHIFT:
        return None
    grid = bounds_of(y, op.activation)
    addend = (1 << -exponent >> 1) + grid.zero_point * (1 << -exponent)
    numbers = (prod(a.shape), a.zero_point, *of_a, b.zero_point, *of_b, multiplier, addend, -exponent)
    constants = (Constant("numbers", "int32_t", np.array(numbers, np.int64)),)
    invocations = [c_call("dsp_add", "x0", "x1", "y", "{numbers}", "scratch")]
    kernels = ("requantize", "dsp/primitives", "dsp/add")
    if (grid.low, grid.high) != (-128, 127):
        invocations.append(c_call("dsp_clamp", "y", prod(a.shape), grid.low, grid.high))
        kernels = (*kernels, "dsp/clamp")
    return Call(tuple(invocations), constants, kernels, Needs(TABLES_BYTES))

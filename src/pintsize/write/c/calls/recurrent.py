"""Portable calls of recurrent layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pintsize.arithmetic import pack, reduced_multiplier
from pintsize.deferred import torch
from pintsize.gates import GATE_SCALE, gate_factors
from pintsize.graph import BITS, Graph, Node, TensorType
from pintsize.ops import Gru, Lstm, Svdf
from pintsize.passes.plan_memory import Needs
from pintsize.write.c.calls.call import Call, Constant, c_call
from pintsize.write.c.calls.numbers import factor, grid_of, scales_float64

GATED = ("{weight}", "{recurrent}", "{bias}", "{recurrent_bias}", "{multiplier}", "{shift}")
GATED_INT16 = ("{weight}", "{recurrent}", "{bias}", "{multiplier}", "{shift}")
INT32_MAX = 2**31 - 1


def lstm(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Lstm)
    x, w, y = (graph.type(n) for n in (node.inputs[0], node.inputs[1], node.output))
    to_output = factor(GATE_SCALE * GATE_SCALE / scales_float64(y)[0])
    kernel, memory, scratch_bytes = _cells(node, "lstm", y)
    call = c_call(
        kernel, "x0", "y", *GATED, *memory, *x.shape, y.shape[1], BITS[w.dtype], -op.cell_exponent, op.clip_code,
        *to_output, y.zero_point,
    )  # fmt: skip
    needs = Needs(scratch_bytes, (step_by_step(x.shape, y.shape),))
    return Call(
        (call,),
        _gated_constants(graph, node),
        ("requantize", "dot", "int16", "sigmoid_table", "gates", "lstm"),
        needs,
    )


def lstm_int16(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Lstm)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    weights = [graph.constant(n) for n in node.inputs[1:3]]
    kinds = [graph.type(n) for n in node.inputs[1:3]]
    bits = BITS[kinds[0].dtype]
    multiplier, shift = _all_factors((x, y), kinds)
    wide = [int(np.abs(w.astype(np.int64)).sum(-1).max() << 15 > INT32_MAX) for w in weights]
    to_output = factor(GATE_SCALE * GATE_SCALE / scales_float64(y)[0])
    kernel, memory, scratch_bytes = _cells(node, "lstm_int16", y)
    call = c_call(
        kernel, "x0", "y", *GATED_INT16, *memory, *x.shape, y.shape[1], bits, *wide, -op.cell_exponent, op.clip_code,
        *to_output,
    )  # fmt: skip
    constants = (
        *_packed(weights, bits),
        Constant("bias", "int32_t", graph.constant(node.inputs[3])),
        Constant("multiplier", "int16_t", reduced_multiplier(multiplier)),
        Constant("shift", "int8_t", 15 - shift),
    )
    kernels = ("requantize", "dot", "int16", "codes16", "sigmoid_table", "gates", "lstm_int16")
    return Call((call,), constants, kernels, Needs(scratch_bytes, (2 * step_by_step(x.shape, y.shape),)))


def _cells(node: Node, kernel: str, y: TensorType) -> tuple[str, tuple[str, ...], int]:
    """Kernel, where its cells are (and the last output), and the bytes of scratch memory: from zeros, or carried."""
    if node.carried:
        return f"{kernel}_carried", ("state0", "state1"), 0
    return kernel, ("scratch",), 2 * y.shape[1]


def gru(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Gru)
    x, w, y = (graph.type(n) for n in (node.inputs[0], node.inputs[1], node.output))
    to_output = factor(GATE_SCALE / scales_float64(y)[0])
    kernel, memory = ("gru_from", ("state0", "scratch")) if node.carried else ("gru", ("scratch",))
    call = c_call(
        kernel, "x0", "y", *GATED, *memory, *x.shape, y.shape[1], BITS[w.dtype], int(op.reset_after), *to_output,
        y.zero_point,
    )  # fmt: skip
    rows = (0 if node.carried else 2) + (1 if op.reset_after else 2)
    needs = Needs(rows * y.shape[1], (step_by_step(x.shape, y.shape),))
    return Call(
        (call,),
        _gated_constants(graph, node),
        ("requantize", "dot", "int16", "sigmoid_table", "gates", "gru"),
        needs,
    )


def svdf(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Svdf)
    x, w, t, y = (graph.type(n) for n in (*node.inputs[:3], node.output))
    grid, bits = grid_of(y).bounded(op.activation), BITS[w.dtype]
    length, slots = t.shape[1], min(t.shape[1], x.shape[0])
    to_state, to_output = (
        factor(float(op.inner_scales(torch.tensor(weight.scale), i, grid_of(other).scale)))
        for i, weight, other in ((1, w, x), (2, t, y))
    )
    kernel, memory = ("svdf_carried", "state0") if node.carried else ("svdf", "scratch")
    sizes = (length,) if node.carried else (length, slots)
    call = c_call(
        kernel, "x0", "y", "{weight}", "{time}", "{bias}", "{unit_bias}", memory, *x.shape, y.shape[1], op.rank,
        *sizes, bits, *to_state, *to_output, grid.zero_point, grid.low, grid.high,
    )  # fmt: skip
    feature = graph.constant(node.inputs[1])
    constants = (
        Constant("weight", "int8_t", pack(feature, bits).view(np.int8).reshape(-1)),
        Constant("time", "int16_t", graph.constant(node.inputs[2])),
        Constant("bias", "int32_t", -_offset(feature, x)),
        Constant("unit_bias", "int32_t", graph.constant(node.inputs[3])),
    )
    scratch_bytes = 0 if node.carried else 2 * w.shape[0] * slots
    needs = Needs(scratch_bytes, (step_by_step(x.shape, y.shape),))
    return Call((call,), constants, ("requantize", "dot", "int16", "svdf"), needs)


def step_by_step(x: tuple[int, ...], y: tuple[int, ...]) -> int:
    """How far x must begin after y, where a whole step of x is read for each number of y's step."""
    (steps, inputs), outputs = x, y[1]
    return max(0, (steps - 1) * (outputs - inputs)) + outputs - 1


def _gated_constants(graph: Graph, node: Node) -> tuple[Constant, ...]:
    """Weights packed, zero points folded into biases, factors of all gates for the input, then for the last output."""
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    weight, recurrent, bias, *more = (graph.constant(n) for n in node.inputs[1:])
    own = more[0] if more else 0
    kinds = [graph.type(n) for n in node.inputs[1:3]]
    multiplier, shift = _all_factors((x, y), kinds)
    return (
        *_packed((weight, recurrent), BITS[kinds[0].dtype]),
        Constant("bias", "int32_t", bias - _offset(weight, x)),
        Constant("recurrent_bias", "int32_t", own - _offset(recurrent, y)),
        Constant("multiplier", "int32_t", multiplier),
        Constant("shift", "int8_t", shift),
    )


def _packed(weights: Sequence[np.ndarray], bits: int) -> tuple[Constant, Constant]:
    """Of the input, then of the last output."""
    first, second = (pack(w, bits).view(np.int8).reshape(-1) for w in weights)
    return Constant("weight", "int8_t", first), Constant("recurrent", "int8_t", second)


def _all_factors(read: Sequence[TensorType], weights: Sequence[TensorType]) -> tuple[np.ndarray, np.ndarray]:
    factors = [_factors(*pair) for pair in zip(read, weights, strict=True)]
    multiplier, shift = (np.concatenate(parts) for parts in zip(*factors, strict=True))
    return multiplier, shift


def _offset(weight: np.ndarray, read: TensorType) -> np.ndarray:
    return read.zero_point * weight.astype(np.int64).sum(-1)


def _factors(read: TensorType, weight: TensorType) -> tuple[np.ndarray, np.ndarray]:
    multiplier, exponent = gate_factors(torch.tensor(read.scale), torch.tensor(weight.scale))
    return multiplier.numpy(), exponent.numpy()

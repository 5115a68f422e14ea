"""Calls of the DSP kernels that multiply blocks of 3 pixels by 2 outputs: convolutions and matrix products."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from pintsize.graph import BITS, Graph, Node
from pintsize.ops import Conv2d, Linear
from pintsize.passes.plan_memory import Needs
from pintsize.write.c.calls.call import Call, Constant, Invocation, c_call
from pintsize.write.c.calls.dsp_factors import Factors, constant_codes, factors
from pintsize.write.c.calls.dsp_numbers import packed
from pintsize.write.c.calls.dsp_overlap import distance

#: bits below the point of an accumulator, by the width of the weights: the kernels' scaled operands
SCALES = {8: 8, 4: 12, 2: 14}
BLOCK = 3
LINEAR_GROUP = 8
SHAPE_MAX = 32767
FOUNDATION = ("dsp/primitives", "dsp/requantize", "dsp/dot", "dsp/geometry")


def conv2d(graph: Graph, node: Node) -> Call | None:
    """None where the numbers do not fit the kernels' (huge sums, factors of 1 and more, sides above 32767)."""
    op = node.op
    assert isinstance(op, Conv2d)
    x, w, y = (graph.type(n).shape for n in (node.inputs[0], node.inputs[1], node.output))
    pixels = y[0] * y[1]
    codes = graph.constant(node.inputs[1]).reshape(w[0], -1)
    bits = BITS[graph.type(node.inputs[1]).dtype]
    steps = steps_of(codes.shape[1], bits)
    outside = any(op.padding) or y[:2] != x[:2]
    if w[1:3] == (1, 1) and op.stride == (1, 1) and not outside and 4 * steps == w[3]:
        return _pointwise(graph, node, codes, pixels)
    top, _, left, _ = op.padding
    kernel = "ring_window" if w[3] % 4 == 0 and w[1:3] != (1, 1) else "window"
    span = (w[1] - 1) * op.dilation[0] + 1
    geometry = (
        y[1],
        *x,
        *w[1:3],
        *op.stride,
        top,
        left,
        *op.dilation,
        graph.type(node.inputs[0]).zero_point,
        span,
    )
    needs = (_ring_needs if kernel == "ring_window" else _window_needs)(op, x, w, y, steps)
    return _product_call(f"dsp_{kernel}", kernel, graph, node, codes, pixels, geometry, needs)


def linear(graph: Graph, node: Node) -> Call | None:
    """None where the numbers do not fit the kernels'."""
    assert isinstance(node.op, Linear)
    codes = graph.constant(node.inputs[1])
    rows, (outputs, inputs) = prod(graph.type(node.inputs[0]).shape[:-1]), codes.shape
    steps = steps_of(inputs, BITS[graph.type(node.inputs[1]).dtype])
    if rows >= BLOCK and 4 * steps == inputs:
        return _pointwise(graph, node, codes, rows)
    scratch = LINEAR_GROUP * 16 + steps * 8 + (0 if 4 * steps == inputs else 4 * steps)
    over = distance(((r + 1) * outputs, (r + 1) * inputs) for r in range(rows))
    needs = Needs(scratch, (over,), over <= 0)
    return _product_call(
        "dsp_linear", "linear", graph, node, codes, rows, (inputs,), needs, literals=(4 * steps != inputs,)
    )


def steps_of(inputs: int, bits: int) -> int:
    """Groups of four inputs; weights of 2 bits are stored for two groups at a time."""
    steps = -(-inputs // 4)
    return steps + steps % 2 if bits == 2 else steps


def _pointwise(graph: Graph, node: Node, codes: np.ndarray, pixels: int) -> Call | None:
    """Pixels by themselves. Outputs whose weights are all 0 are constants: where they are many, they cost nothing."""
    some = codes.any(1)
    if 8 * some.sum() > 7 * len(codes) or not some.any():
        needs = _pointwise_needs(pixels, *codes.shape, computed=len(codes))
        return _product_call("dsp_pointwise", "conv2d", graph, node, codes, pixels, (), needs)
    live = np.flatnonzero(some)
    constants = (
        Constant("live", "int16_t", live.astype(np.int16)),
        Constant("others", "int8_t", constant_codes(graph, node)),
    )
    needs = _pointwise_needs(pixels, *codes.shape, computed=len(live))
    needs = replace(needs, scratch_bytes=-(-(needs.scratch_bytes + BLOCK * len(live)) // 4) * 4)
    return _product_call(
        "dsp_some_outputs",
        "some_outputs",
        graph,
        node,
        codes[live],
        pixels,
        (len(codes),),
        needs,
        live,
        constants,
    )


def _product_call(
    function: str, kernel: str, graph: Graph, node: Node, codes: np.ndarray, pixels: int, geometry: tuple[int, ...],
    needs: Needs, live: np.ndarray | None = None, more: tuple[Constant, ...] = (),
    literals: tuple[int, ...] = (),
) -> Call | None:  # fmt: skip
    bits = BITS[graph.type(node.inputs[1]).dtype]
    told = factors(graph, node, 0, (SCALES[bits],), live)
    shape = (steps_of(codes.shape[1], bits), pixels, len(codes))
    if told is None or max(*shape, *geometry, 0) > SHAPE_MAX:
        return None
    constants = (
        Constant("weight", "int32_t", interleave(codes, bits)),
        Constant("channels", "int8_t", told.channels),
        Constant("shape", "int8_t", packed((*shape, *told.told, *geometry))),
        *more,
    )
    pointers = ("x0", "y", *(f"{{{c.name}}}" for c in constants), "scratch")
    kernels = (*told.kernels, *FOUNDATION, f"dsp/{kernel}")
    return clamped(
        graph, node, told, Call((c_call(function, *pointers, bits, *literals),), constants, kernels, needs)
    )


def clamped(graph: Graph, node: Node, told: Factors, call: Call) -> Call:
    """The call, and a pass over its output where the activation's bounds are not int8's."""
    if told.bounds is None:
        return call
    bound: Invocation = c_call("dsp_clamp", "y", graph.type(node.output).elements, *told.bounds)
    return Call((*call.invocations, bound), call.constants, (*call.kernels, "dsp/clamp"), call.needs)


def interleave(codes: np.ndarray, bits: int) -> np.ndarray:
    """Weights (outputs, inputs) as int32 words in the order that dot.c states."""
    steps = steps_of(codes.shape[1], bits)
    padded = np.zeros((-(-len(codes) // 2) * 2, steps * 4), np.int64)
    padded[: len(codes), : codes.shape[1]] = codes
    quads = padded.reshape(-1, 2, steps, 4).transpose(0, 2, 1, 3) & ((1 << bits) - 1)  # (pairs, steps, 2, 4)
    o, i, k = np.arange(2)[:, None], np.arange(4), np.arange(steps)[:, None, None]
    if bits == 8:
        words = (quads << (8 * i)).sum(-1)
    elif bits == 4:
        words = (quads << (16 * (i // 2) + 12 - 4 * (i % 2 + 2 * o))).sum((-1, -2))
    else:
        halves = (quads << (16 * (i // 2) + 14 - 2 * (i % 2 + 2 * o) - 8 * (k % 2))).sum((-1, -2))
        words = halves.reshape(len(halves), -1, 2).sum(-1)
    return words.astype(np.uint32).view(np.int32).reshape(-1)


def _blocks(pixels: int) -> list[int]:
    """Where each block of pixels ends: 3 at a time, the rest one by one."""
    whole = pixels // BLOCK * BLOCK
    return [*range(BLOCK, whole + 1, BLOCK), *range(whole + 1, pixels + 1)]


def _numbers_bytes(outputs: int) -> int:
    return -(-outputs // 2) * 32


def _pointwise_needs(pixels: int, outputs: int, inputs: int, computed: int) -> Needs:
    over = distance((end * outputs, end * inputs) for end in _blocks(pixels))
    return Needs(_numbers_bytes(computed) + BLOCK * inputs * 2, (over,), outputs == inputs)


def _window_needs(
    op: Conv2d, x: tuple[int, ...], w: tuple[int, ...], y: tuple[int, ...], steps: int
) -> Needs:
    def unread(pixel: int) -> int:
        """The first byte that this pixel or a later one reads."""
        return min(max(0, pixel // y[1] * op.stride[0] - op.padding[0]), x[0]) * x[1] * x[2]

    over = distance((end * w[0], unread(end)) for end in _blocks(y[0] * y[1]))
    return Needs(_numbers_bytes(w[0]) + steps * (BLOCK * 8 + 4) + 12, (over,), False)


def _ring_needs(op: Conv2d, x: tuple[int, ...], w: tuple[int, ...], y: tuple[int, ...], steps: int) -> Needs:
    span = (w[1] - 1) * op.dilation[0] + 1
    columns = (y[1] - 1) * op.stride[1] + (w[2] - 1) * op.dilation[1] + 1

    def unread(pixel: int) -> int:
        """The first byte that is not in the ring when the pixel before this one is done."""
        row = (pixel - 1) // y[1] * op.stride[0] - op.padding[0] + span
        return min(max(0, row), x[0]) * x[1] * x[2]

    over = distance((end * w[0], unread(end)) for end in _blocks(y[0] * y[1]))
    scratch = _numbers_bytes(w[0]) + steps * BLOCK * 8 + span * columns * x[2] * 2
    return Needs(scratch, (over,), over <= 0)

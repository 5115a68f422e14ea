"""Calls of the DSP kernels for depthwise convolutions."""

from __future__ import annotations

import numpy as np

from pintsize.arithmetic import pack
from pintsize.graph import BITS, Graph, Node
from pintsize.ops import DepthwiseConv2d
from pintsize.passes.plan_memory import Needs
from pintsize.write.c.calls.call import Call, Constant, c_call
from pintsize.write.c.calls.dsp_factors import factors
from pintsize.write.c.calls.dsp_numbers import packed
from pintsize.write.c.calls.dsp_products import SHAPE_MAX, clamped

#: weights are widened to 16 bits, so accumulators may have fewer bits below the point where sums are huge
SCALES = (8, 7, 6, 5, 4, 3, 2)
#: outputs of a band and channel, at least, that make the setting up of a channel worth while
BAND_OUTPUTS = 64
#: below this many channels two planes of the whole image are no smaller than the output that they save
IN_PLACE_CHANNELS = 8
KERNELS = ("requantize", "dot", "dsp/primitives", "dsp/requantize", "dsp/depthwise")


def depthwise_conv2d(graph: Graph, node: Node) -> Call | None:
    """None for several outputs per channel, and where the numbers do not fit the kernels'."""
    op = node.op
    assert isinstance(op, DepthwiseConv2d)
    x, w, y = (graph.type(n).shape for n in (node.inputs[0], node.inputs[1], node.output))
    bits = BITS[graph.type(node.inputs[1]).dtype]
    signed = graph.type(node.output).zero_point != -128
    told = factors(graph, node, 2, SCALES[:1] if signed else SCALES)
    if op.multiplier != 1 or told is None:
        return None
    in_place = x == y and x[2] >= IN_PLACE_CHANNELS
    band = y[0] if in_place else min(y[0], -(-BAND_OUTPUTS // y[1]))
    top, _, left, _ = op.padding
    pitch = _pitch(op, x, w, y)
    zero_point = graph.type(node.inputs[0]).zero_point
    shape = (
        *told.told,
        x[2],
        *x[:2],
        *y[:2],
        band,
        pitch,
        *w[:2],
        *op.stride,
        top,
        left,
        *op.dilation,
        zero_point,
    )
    if max(shape) > SHAPE_MAX:
        return None
    constants = (
        Constant("weight", "int8_t", _by_channel(graph.constant(node.inputs[1]), bits)),
        Constant("channels", "int8_t", told.channels),
        Constant("shape", "int8_t", packed(shape)),
    )
    pointers = ("x0", "y", "{weight}", "{channels}", "{shape}", "scratch")
    step = _step(op, w)
    if step:
        call = c_call("dsp_depthwise", *pointers, bits, step, int(told.negatives))
    else:
        call = c_call("dsp_depthwise_any", *pointers, bits, int(told.negatives))
    taps = 0 if step else w[0] * w[1] * 2
    rows = (band - 1) * op.stride[0] + (w[0] - 1) * op.dilation[0] + 1
    needs = Needs(-(-(4 * rows * pitch + taps) // 4) * 4, (_distance(op, x, y, band),), in_place)
    return clamped(graph, node, told, Call((call,), constants, (*told.kernels, *KERNELS), needs))


def _step(op: DepthwiseConv2d, w: tuple[int, ...]) -> int:
    """The stride where the kernel for 3 by 3 taps applies, else 0."""
    fits = w[:2] == (3, 3) and op.dilation == (1, 1) and op.stride in ((1, 1), (2, 2))
    return op.stride[0] if fits else 0


def _pitch(op: DepthwiseConv2d, x: tuple[int, ...], w: tuple[int, ...], y: tuple[int, ...]) -> int:
    """Numbers in a row of a plane: all that is read, also by outputs that come in twos, and all that is set."""
    seen = (y[1] - 1) * op.stride[1] + (w[1] - 1) * op.dilation[1] + 1
    return -(-max(seen + 2, op.padding[2] + x[1]) // 2) * 2


def _by_channel(codes: np.ndarray, bits: int) -> np.ndarray:
    taps = np.ascontiguousarray(np.moveaxis(codes, 2, 0)).reshape(codes.shape[2], -1)
    return pack(taps, bits).view(np.int8).reshape(-1)


def _distance(op: DepthwiseConv2d, x: tuple[int, ...], y: tuple[int, ...], band: int) -> int:
    """While a band is written, all rows that it reads are still needed."""
    ends = [min(row + band, y[0]) * y[1] * y[2] for row in range(0, y[0], band)]
    starts = [max(0, row * op.stride[0] - op.padding[0]) * x[1] * x[2] for row in range(0, y[0], band)]
    return max(end - start for end, start in zip(ends, starts, strict=True))

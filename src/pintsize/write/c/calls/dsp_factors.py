"""How the DSP kernels are told a layer's biases and requantization factors, in as few bytes as stay exact.

A kernel computes ``((acc · 2^scale · multiplier >> 32) + addend) >> shift`` (kernels/dsp/requantize.c). With
``scale`` bits below the point this is gemmlowp's double rounding to the last bit, for shifts of 1 and more
(``is_proven``); a factor too small for the addend's 32 bits is checked code by code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from pintsize.arithmetic import multiply, quantize_multiplier
from pintsize.graph import Graph, Node
from pintsize.write.c.calls.numbers import bounds_of, scales_float64

PLAIN, PACKED, ONE_FACTOR = 0, 1, 2
LARGEST_SHIFT = 23
LEAST_SCALE = 2
PACKED_BIAS = 1 << 19
LEAST_MANTISSA = 1 << 23
Function = Callable[[int], int]


@dataclass(frozen=True)
class Factors:
    """What a kernel needs beside the weights.

    told: seven int16 numbers (form, scale, 2 · zero point + 1, what the channels share); channels: bytes in the
    layout of the form; negatives: whether negative sums need their own rounding; bounds: (low, high) where int8's
    own do not do.
    """

    told: tuple[int, ...]
    channels: np.ndarray
    negatives: bool
    bounds: tuple[int, int] | None


@dataclass(frozen=True)
class _Channel:
    """bias has the input's zero point in it; the sum without it lies in low..high; its terms' sizes sum to reach."""

    bias: int
    multiplier: int
    shift: int
    low: int
    high: int
    reach: int


def factors(
    graph: Graph, node: Node, output_axis: int, scales: tuple[int, ...], live: np.ndarray | None = None
) -> Factors | None:
    """The layer's factors with the first of `scales` that is exact for every channel; None where none is.

    live: the channels to tell of, if not all.
    """
    grid = bounds_of(graph.type(node.output), node.op.activation)  # type: ignore[attr-defined]
    negatives = grid.zero_point != -128
    spare = made(LEAST_MANTISSA, _ratio(graph, node))
    channels = [
        _usual(c, grid.zero_point, spare, scales[0]) for c in _channels(graph, node, output_axis, live)
    ]
    scale = next(
        (s for s in scales if all(_is_exact(c, s, grid.zero_point, negatives) for c in channels)), None
    )
    if scale is None:
        return None
    bounds = None if (grid.low, grid.high) == (-128, 127) else (grid.low, grid.high)
    head = (scale, 2 * grid.zero_point + 1)
    told = _one_factor(channels) or _packed(graph, node, channels, live)
    if told is not None:
        return Factors((told[0], *head, *told[1]), told[2], negatives, bounds)
    return Factors((PLAIN, *head, 0, 0, 0, 0), _plain(channels), negatives, bounds)


def constant_codes(graph: Graph, node: Node) -> np.ndarray:
    """Per output its code when every weight is 0: what a bias alone makes (int8)."""
    x, w, y = graph.type(node.inputs[0]), graph.type(node.inputs[1]), graph.type(node.output)
    grid = bounds_of(y, node.op.activation)  # type: ignore[attr-defined]
    bias = graph.constant(node.inputs[2]).astype(np.int64)
    real = np.broadcast_to(scales_float64(x) * scales_float64(w) / scales_float64(y), bias.shape)
    codes = multiply(bias, *quantize_multiplier(real)) + grid.zero_point
    return codes.clip(grid.low, grid.high).astype(np.int8)


def _channels(graph: Graph, node: Node, output_axis: int, live: np.ndarray | None) -> list[_Channel]:
    x, w, y = graph.type(node.inputs[0]), graph.type(node.inputs[1]), graph.type(node.output)
    codes = np.moveaxis(graph.constant(node.inputs[1]).astype(np.int64), output_axis, 0)
    codes = codes.reshape(len(codes), -1)
    bias = graph.constant(node.inputs[2]).astype(np.int64) - x.zero_point * codes.sum(1)
    real = scales_float64(x) * scales_float64(w) / scales_float64(y)
    multiplier, exponent = quantize_multiplier(np.broadcast_to(real, bias.shape))
    low, high = np.minimum(codes * -128, codes * 127).sum(1), np.maximum(codes * -128, codes * 127).sum(1)
    columns = (bias, multiplier, -exponent, low, high, 128 * np.abs(codes).sum(1))
    rows = np.stack(columns, 1) if live is None else np.stack(columns, 1)[live]
    return [_Channel(*row) for row in rows.tolist()]


def reference(channel: _Channel, zero_point: int) -> Function:
    """acc → code, as gemmlowp rounds (for shifts of 0 and more)."""
    half = (1 << channel.shift) >> 1

    def code(acc: int) -> int:
        high = (acc * channel.multiplier + (1 << 30)) >> 31
        nudge = 1 if channel.shift > 0 and high < 0 else 0
        return max(-128, min(127, ((high + half - nudge) >> channel.shift) + zero_point))

    return code


def computed(channel: _Channel, zero_point: int, scale: int, negatives: bool) -> Function:
    """acc → code, as the kernel computes it."""
    whole = channel.shift + scale - 1
    excess = max(0, whole - LARGEST_SHIFT)
    shift, multiplier = whole - excess, channel.multiplier >> excess
    addend = ((1 << (scale - 2)) >> excess) + (2 * zero_point + 1) * (1 << (shift - 1))

    def code(acc: int) -> int:
        high = (((acc << scale) * multiplier) >> 32) + addend
        high -= (1 << (scale - 1)) if negatives and acc < 0 else 0
        return max(-128, min(127, high >> shift))

    return code


def _usual(channel: _Channel, zero_point: int, spare: int, scale: int) -> _Channel:
    """The same codes in numbers that fit: a constant channel may as well have a small bias and any factor."""
    if channel.multiplier == 0 and channel.reach:
        return replace(channel, shift=1)
    if channel.reach or channel.shift < 0 or _fits(channel, scale):
        return channel
    step = reference(channel, zero_point)(channel.bias) - zero_point
    small = _Channel(round(step * (1 << 34) / spare), spare, 3, 0, 0, 0)
    return small if reference(small, zero_point)(small.bias) == step + zero_point else channel


def _fits(channel: _Channel, scale: int) -> bool:
    excess = channel.shift + scale - 1 - LARGEST_SHIFT
    return (abs(channel.bias) + channel.reach) << scale < 1 << 31 and channel.shift >= 1 and excess < 31


def _is_exact(channel: _Channel, scale: int, zero_point: int, negatives: bool) -> bool:
    if not _fits(channel, scale):
        return False
    if is_proven(channel.shift, scale):
        return True
    low, high = channel.bias + channel.low, channel.bias + channel.high
    wanted, found = reference(channel, zero_point), computed(channel, zero_point, scale, negatives)
    return agree(wanted, found, low, high)


def is_proven(shift: int, scale: int) -> bool:
    """Whether the kernel's rounding is the reference's for every sum that fits."""
    return 1 <= shift <= LARGEST_SHIFT + 1 - scale and scale >= LEAST_SCALE


def agree(f: Function, g: Function, low: int, high: int) -> bool:
    """Whether two functions that never fall are equal from low to high."""
    if f(low) != g(low) or f(high) != g(high):
        return False
    if f(low) == f(high) or high - low < 2:
        return True
    middle = (low + high) // 2
    return agree(f, g, low, middle) and agree(f, g, middle, high)


_Told = tuple[int, tuple[int, ...], np.ndarray]


def _halves(number: int, count: int) -> tuple[int, ...]:
    """An unsigned number as int16 words, lowest first."""
    return tuple(
        np.array([(number >> (16 * i)) & 0xFFFF for i in range(count)], np.uint16).view(np.int16).tolist()
    )


def _one_factor(channels: list[_Channel]) -> _Told | None:
    first = channels[0]
    if any((c.multiplier, c.shift) != (first.multiplier, first.shift) for c in channels):
        return None
    told = (*_halves(first.multiplier, 2), first.shift, 0)
    return ONE_FACTOR, told, _bytes([c.bias for c in channels], 4).reshape(-1)


def _packed(graph: Graph, node: Node, channels: list[_Channel], live: np.ndarray | None) -> _Told | None:
    """Multipliers made anew from the weights' float32 scales: 24 bits each times a ratio of 64 bits for all."""
    ratio = _ratio(graph, node)
    scales = np.frexp(scales_float64(graph.type(node.inputs[1])))[0]
    scales = np.broadcast_to(scales if live is None or scales.size == 1 else scales[live], len(channels))
    words = []
    for channel, mantissa in zip(channels, scales, strict=True):
        own = int(mantissa * 2**24)
        found = next((m for m in (own, LEAST_MANTISSA) if made(m, ratio) == channel.multiplier), None)
        if found is None or not -PACKED_BIAS <= channel.bias < PACKED_BIAS or channel.shift > 31:
            return None
        words.append((found & 0x7FFFFF) | channel.shift << 23 | (channel.bias & 0xFFFFF) << 28)
    told = (*_halves(ratio >> 32, 2), *_halves(ratio & 0xFFFFFFFF, 2))
    return PACKED, told, _bytes(words, 6).reshape(-1)


def _ratio(graph: Graph, node: Node) -> int:
    """The 64 leading bits of the input's scale over the output's."""
    x, y = (scales_float64(graph.type(name))[0] for name in (node.inputs[0], node.output))
    ratio = Fraction(float(x)) / Fraction(float(y))
    exponent = ratio.numerator.bit_length() - ratio.denominator.bit_length()
    scaled = ratio * Fraction(2) ** (63 - exponent)
    return int(scaled if scaled >= 2**63 else scaled * 2)


def made(mantissa: int, ratio: int) -> int:
    """The multiplier that the kernel makes of a scale's 24 bits."""
    product = mantissa * (ratio >> 32) + ((mantissa * (ratio & 0xFFFFFFFF)) >> 32)
    return (product + (1 << 24)) >> 25 if product >> 55 else (product + (1 << 23)) >> 24


def _plain(channels: list[_Channel]) -> np.ndarray:
    parts = (_bytes([c.bias for c in channels], 4), _bytes([c.multiplier for c in channels], 4),
             _bytes([c.shift for c in channels], 1))  # fmt: skip
    return np.concatenate(parts, 1).reshape(-1)


def _bytes(numbers: list[int], width: int) -> np.ndarray:
    """(n, width) int8, lowest byte first."""
    words = np.array([n & ((1 << 64) - 1) for n in numbers], np.uint64)
    return words.view(np.int8).reshape(-1, 8)[:, :width]

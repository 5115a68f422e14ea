"""How the DSP kernels are told a layer's biases and requantization factors, in as few bytes as stay exact.

A kernel computes ``((acc · 2^scale · multiplier >> 32) + addend) >> shift`` (kernels/dsp/requantize.c). With
``scale`` bits below the point this is gemmlowp's double rounding to the last bit (``is_proven``); a factor too small
for the addend's 32 bits is checked code by code. Shifts of 0 and less, which round once, are for layers whose negative
sums end as -128 anyhow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from pintsize.arithmetic import SCALE_BITS, multiply, quantize_multiplier
from pintsize.graph import Graph, Node
from pintsize.write.c.calls.numbers import bounds_of, scales_float64

PLAIN, PACKED, ONE_FACTOR, BRIEF = 0, 1, 2, 3
LARGEST_SHIFT = 23
LEAST_SHIFT = -8
LEAST_SCALE = 2
PACKED_BIAS = 1 << 19
LEAST_MANTISSA = 1 << 23
#: of the 24 bits of a brief scale (`arithmetic.SCALE_BITS`), the lowest are 0
BRIEF_ZEROS = 24 - SCALE_BITS
#: shifts above the layer's least that a brief channel can tell
BRIEF_SHIFTS = 8
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

    @property
    def kernels(self) -> tuple[str, ...]:
        """What the form needs beside the layer's own kernels."""
        return ("dsp/brief",) if self.told[0] & 3 == BRIEF else ()


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
    least = 1 if negatives else LEAST_SHIFT
    channels = [
        _usual(c, grid.zero_point, spare, scales[0], least) for c in _channels(graph, node, output_axis, live)
    ]
    scale = next(
        (s for s in scales if all(_is_exact(c, s, grid.zero_point, negatives, least) for c in channels)), None
    )
    if scale is None:
        return None
    bounds = None if (grid.low, grid.high) == (-128, 127) else (grid.low, grid.high)
    head = (scale, 2 * grid.zero_point + 1)
    told = _one_factor(channels) or _from_scales(graph, node, channels, grid.zero_point, live)
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
    """acc → code, as gemmlowp rounds."""
    down, up = max(channel.shift, 0), max(-channel.shift, 0)
    half = (1 << down) >> 1

    def code(acc: int) -> int:
        high = ((acc << up) * channel.multiplier + (1 << 30)) >> 31
        nudge = 1 if down > 0 and high < 0 else 0
        return max(-128, min(127, ((high + half - nudge) >> down) + zero_point))

    return code


def computed(channel: _Channel, zero_point: int, scale: int, negatives: bool) -> Function:
    """acc → code, as the kernel computes it."""
    whole = channel.shift + scale - 1
    excess = max(0, whole - LARGEST_SHIFT)
    shift, multiplier = whole - excess, channel.multiplier >> excess
    first, second = 1 << (scale - 2 + min(channel.shift, 0)), int(channel.shift > 0)
    addend = (first >> excess) + (2 * zero_point + second) * (1 << (shift - 1))

    def code(acc: int) -> int:
        high = (((acc << scale) * multiplier) >> 32) + addend
        high -= (1 << (scale - 1)) if negatives and acc < 0 else 0
        return max(-128, min(127, high >> shift))

    return code


def _usual(channel: _Channel, zero_point: int, spare: int, scale: int, least: int) -> _Channel:
    """The same codes in numbers that fit: a constant channel may as well have a small bias and any factor."""
    if channel.multiplier == 0 and channel.reach:
        return replace(channel, shift=1)
    if channel.reach or _fits(channel, scale, least):
        return channel
    step = reference(channel, zero_point)(channel.bias) - zero_point
    small = _Channel(round(step * (1 << 34) / spare), spare, 3, 0, 0, 0)
    return small if reference(small, zero_point)(small.bias) == step + zero_point else channel


def _fits(channel: _Channel, scale: int, least: int) -> bool:
    whole = channel.shift + scale - 1
    shifts = channel.shift >= least and 1 <= whole < LARGEST_SHIFT + 31
    return shifts and (abs(channel.bias) + channel.reach) << scale < 1 << 31


def _is_exact(channel: _Channel, scale: int, zero_point: int, negatives: bool, least: int) -> bool:
    if not _fits(channel, scale, least):
        return False
    if is_proven(channel.shift, scale):
        return True
    low, high = channel.bias + channel.low, channel.bias + channel.high
    wanted, found = reference(channel, zero_point), computed(channel, zero_point, scale, negatives)
    return agree(wanted, found, low, high)


def is_proven(shift: int, scale: int) -> bool:
    """Whether the kernel's rounding is the reference's for every sum that fits."""
    return scale >= LEAST_SCALE and 2 - scale <= shift <= LARGEST_SHIFT + 1 - scale


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


def _from_scales(
    graph: Graph, node: Node, channels: list[_Channel], zero_point: int, live: np.ndarray | None
) -> _Told | None:
    """Multipliers made anew from the weights' float32 scales: 24 bits each times a ratio of 64 bits for all."""
    ratio = _ratio(graph, node)
    scales = np.frexp(scales_float64(graph.type(node.inputs[1])))[0]
    scales = np.broadcast_to(scales if live is None or scales.size == 1 else scales[live], len(channels))
    own = [int(m * 2**24) for m in scales]
    shared = (*_halves(ratio >> 32, 2), *_halves(ratio & 0xFFFFFFFF, 2))
    brief = _brief(channels, own, ratio, zero_point)
    if brief is not None:
        return brief[0], shared, brief[1]
    packed = _packed(channels, own, ratio)
    return None if packed is None else (PACKED, shared, packed)


def _packed(channels: list[_Channel], mantissas: list[int], ratio: int) -> np.ndarray | None:
    """Six bytes a channel: shift 5 bits, scale 23, bias 20."""
    words = []
    for channel, own in zip(channels, mantissas, strict=True):
        found = next((m for m in (own, LEAST_MANTISSA) if made(m, ratio) == channel.multiplier), None)
        if found is None or not -PACKED_BIAS <= channel.bias < PACKED_BIAS or not 0 <= channel.shift < 32:
            return None
        words.append((found & 0x7FFFFF) | channel.shift << 23 | (channel.bias & 0xFFFFF) << 28)
    return _bytes(words, 6).reshape(-1)


def _brief(
    channels: list[_Channel], mantissas: list[int], ratio: int, zero_point: int
) -> tuple[int, np.ndarray] | None:
    """Three or four bytes a channel: scale 5 bits, shift above the least 3, bias the rest; and what tells how many."""
    least = min((c.shift for c in channels if c.reach), default=0)
    rows = [_brief_row(c, m, ratio, least, zero_point) for c, m in zip(channels, mantissas, strict=True)]
    found = [row for row in rows if row is not None]
    if len(found) < len(rows) or not LEAST_SHIFT <= least < 32:
        return None
    width = 3 if all(-(1 << 15) <= bias < 1 << 15 for _, _, bias in found) else 4
    if any(not -(1 << 23) <= bias < 1 << 23 for _, _, bias in found):
        return None
    words = [(bias << 8) | (shift << 5) | scale for scale, shift, bias in found]
    padding = np.zeros(4 - width, np.int8)  # four bytes are read at once
    return BRIEF | width << 2 | least << 5, np.concatenate([_bytes(words, width).reshape(-1), padding])


def _brief_row(
    channel: _Channel, mantissa: int, ratio: int, least: int, zero_point: int
) -> tuple[int, int, int] | None:
    """(scale without its highest bit, shift above the least, bias)."""
    if not channel.reach:
        return _brief_constant(channel, ratio, least, zero_point)
    if mantissa % (1 << BRIEF_ZEROS) or made(mantissa, ratio) != channel.multiplier:
        return None
    above = channel.shift - least
    return ((mantissa & 0x7FFFFF) >> BRIEF_ZEROS, above, channel.bias) if above < BRIEF_SHIFTS else None


def _brief_constant(
    channel: _Channel, ratio: int, least: int, zero_point: int
) -> tuple[int, int, int] | None:
    """A channel without weights, by the layer's least shift and scale: the same code."""
    code = reference(channel, zero_point)(channel.bias)
    multiplier = made(LEAST_MANTISSA, ratio)
    bias = round((code - zero_point) * 2.0 ** (31 + least) / multiplier)
    same = reference(replace(channel, multiplier=multiplier, shift=least), zero_point)(bias) == code
    return (0, 0, bias) if same else None


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

"""Filters of signals in whole numbers: recursive ones, and resampling. One definition, in numpy.

Recursive: second-order sections one after another, direct form 1 on numbers with 12 fractional bits, coefficients with
30. What a section's sum loses by being cut to 12 fractional bits is kept and added to its next sum, so that a filter
with poles close to 1 (0.5 Hz at 360 Hz) neither drifts nor sticks. Sections saturate at ±2^29, four times int16.

Resampling: Kaiser-windowed sinc, one set of taps with 14 fractional bits for each of the `up` positions between two
samples. Each set adds up to exactly 1, so that a constant stays what it is.
"""

from __future__ import annotations

from functools import cache
from math import gcd

import numpy as np

COEFFICIENT_BITS = 30
#: a coefficient is one of 32 bits
COEFFICIENT_LIMIT = 2.0
SIGNAL_BITS = 12
SECTION_MAX = 1 << 29
TAP_BITS = 14
#: of a set of taps, times 2^14, the magnitudes add up to less: sums of int16 samples fit 32 bits
TAPS_REACH = (1 << 16) - 1
COEFFICIENTS = 5


@cache
def coefficient_codes(sections: tuple[float, ...]) -> np.ndarray:
    """(b0, b1, b2, a1, a2) of each section → int64 (sections, 5), the last two negated: then all is added up.

    A section that lets no constant through still lets none: b1 makes up for what the others are rounded.
    """
    rows = np.array(sections, np.float64).reshape(-1, COEFFICIENTS) * np.array([1, 1, 1, -1, -1])
    limit = (1 << 31) - 1
    codes = np.clip(np.rint(rows * (1 << COEFFICIENT_BITS)), -limit, limit).astype(np.int64)
    blocks = np.abs(rows[:, :3].sum(1)) < 0.5 / (1 << COEFFICIENT_BITS)
    codes[blocks, 1] = -codes[blocks, 0] - codes[blocks, 2]
    return codes


def state_size(sections: int) -> int:
    """Numbers that a channel keeps: the last two before the first section and behind each, and each one's rest."""
    return 2 * (sections + 1) + sections


def biquads(x: np.ndarray, codes: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers (time, rows) through all sections, from a state (rows, state_size) that begins with zeros.

    Returns the filtered numbers (time, rows) with 12 more fractional bits, and the state that they leave; so pieces of
    any length give what the whole gives.
    """
    count = len(codes)
    last = [(state[:, 2 * i], state[:, 2 * i + 1]) for i in range(count + 1)]
    rest = [state[:, 2 * (count + 1) + i] for i in range(count)]
    y = np.empty_like(x)
    for t, sample in enumerate(x << SIGNAL_BITS):
        value = sample
        for i, (b0, b1, b2, a1, a2) in enumerate(codes):
            (x1, x2), (y1, y2) = last[i], last[i + 1]
            total = rest[i] + b0 * value + b1 * x1 + b2 * x2 + a1 * y1 + a2 * y2
            last[i] = (value, x1)
            rest[i] = total & ((1 << COEFFICIENT_BITS) - 1)
            value = (total >> COEFFICIENT_BITS).clip(-SECTION_MAX, SECTION_MAX)
        last[count] = (value, last[count][0])
        y[t] = value
    flat = [number for pair in last for number in pair]
    return y, np.stack([*flat, *rest], -1)


@cache
def resampling_taps(up: int, down: int, taps: int, cutoff: float, beta: float) -> np.ndarray:
    """int64 (up, taps): what each of `taps` neighbouring samples adds to the output at each place between two samples.

    cutoff: where half the amplitude is left, of the lower one of both Nyquist frequencies; beta: of Kaiser's window.
    Raises ValueError where sums of int16 samples would not fit 32 bits.
    """
    places = delay(up, taps) + np.arange(up)[:, None] / up - np.arange(taps)
    band = cutoff * min(1.0, up / down)
    inside = np.clip(1.0 - (places / (taps / 2)) ** 2, 0.0, None)
    shape = np.sinc(band * places) * np.i0(beta * np.sqrt(inside))
    whole = 1 << TAP_BITS
    codes = np.rint(shape / shape.sum(1, keepdims=True) * whole).astype(np.int64)
    codes[np.arange(up), np.abs(codes).argmax(1)] += whole - codes.sum(1)
    if np.abs(codes).sum(1).max() > TAPS_REACH:
        raise ValueError(
            f"resample: {taps} taps with a cutoff of {cutoff} ring too much: fewer taps or a higher beta are allowed"
        )
    return codes


def delay(up: int, taps: int) -> float:
    """How many samples behind the first one that it reads the first output lies: in the middle of its taps."""
    return (taps - 1) / 2 - (up - 1) / (2 * up)


def in_lowest_terms(up: int, down: int) -> bool:
    return gcd(up, down) == 1


def resampled(x: np.ndarray, codes: np.ndarray, down: int) -> np.ndarray:
    """Whole numbers (rows, time) → (rows, outputs), int64: halves up."""
    up, taps = codes.shape
    outputs = output_count(x.shape[1], up, down, taps)
    place = np.arange(outputs) * down
    near = x[:, (place // up)[:, None] + np.arange(taps)]  # (rows, outputs, taps)
    return ((near * codes[place % up]).sum(-1) + (1 << (TAP_BITS - 1))) >> TAP_BITS


def output_count(samples: int, up: int, down: int, taps: int) -> int:
    """How many outputs have all their taps within so many samples: whole groups of `up`, and no padding."""
    reach = ((up - 1) * down) // up + taps
    return 0 if samples < reach else ((samples - reach) // down + 1) * up

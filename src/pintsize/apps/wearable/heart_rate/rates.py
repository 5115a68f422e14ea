"""From beats to a rate, or to why there is none. Whole numbers, as in c/heart_rate.c."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pintsize.apps.wearable.heart_rate.kinds import (
    FINE,
    HIGHEST_BPM,
    LEAST_SPAN_S,
    LOWEST_BPM,
    WINDOW_S,
    Kind,
)
from pintsize.apps.wearable.heart_rate.peaks import Beat

#: code in C → why there is no rate
REASONS = (
    "",
    "the last 8 s are not whole yet",
    "the signal is at the end of its range",
    "no beats are found: the signal is too weak or is none",
    "the beats are too few",
    "the beats do not agree: motion, or no good contact",
    "the beats differ in height: motion, or no good contact",
    "the beats have stopped",
    "a rate that no heart has",
    "no beat stands out: noise, or no contact",
)
SHORT, CLIPPED, WEAK, FEW, UNEVEN, HEIGHTS, STOPPED, OUTSIDE, NOISE = range(1, 10)
LEAST_BEATS = 4
#: shares of agreeing intervals from which on a rate is surer
AGREEMENTS = (0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class Rate:
    """Of the last 8 s. bpm: beats per minute, None where it is not known, and then `reason` says why.

    beats: in the 8 s; agreement: share of their intervals that agree with the middle one, 0 without
    inverted: the pulse is upside down; its rate is as good
    confidence: calibrated probability that the rate is right within 3 beats per minute; None without a rate
    """

    bpm: float | None
    reason: str | None
    beats: int = 0
    agreement: float = 0.0
    inverted: bool = False
    confidence: float | None = None

    def __post_init__(self) -> None:
        if (self.bpm is None) != bool(self.reason):
            raise ValueError(
                f"a rate of {self.bpm} with the reason {self.reason!r}: one of both must be said"
            )


def rate_of(kind: Kind, beats: Sequence[Beat], now: int, total: int = 0) -> tuple[int, int, int, int]:
    """(rate in sixteenths of a beat per minute or 0, reason's code, intervals that agree, intervals).

    beats: those of the last 8 s before `now`, which is in samples; total: the strength of these 8 s
    """
    if len(beats) < LEAST_BEATS:
        return 0, FEW if beats else WEAK, 0, 0
    middle_height = sorted(beat.height for beat in beats)[len(beats) // 2]
    if 10 * middle_height * WINDOW_S * kind.rate_hz < kind.distinct * total:
        return 0, NOISE, 0, 0
    intervals = [after.time - before.time for before, after in pairwise(beats)]
    middle = sorted(intervals)[len(intervals) // 2]
    agree = [i for i in intervals if kind.near * middle < 10 * i < kind.far * middle]
    total, counts = sum(agree), (len(agree), len(intervals))
    if 10 * len(agree) < kind.agreeing * len(intervals):
        return 0, UNEVEN, *counts
    if not _even(kind, [beat.height for beat in beats]):
        return 0, HEIGHTS, *counts
    if now * FINE - beats[-1].time > 2 * middle + kind.hold * FINE:
        return 0, STOPPED, *counts
    if beats[-1].time - beats[0].time < LEAST_SPAN_S * kind.rate_hz * FINE:
        return 0, SHORT, *counts
    bpm = (60 * FINE * FINE * kind.rate_hz * len(agree) + total // 2) // total
    if not LOWEST_BPM * FINE <= bpm <= HIGHEST_BPM * FINE:
        return 0, OUTSIDE, *counts
    return bpm, 0, *counts


def _even(kind: Kind, heights: Sequence[int]) -> bool:
    middle = sorted(heights)[len(heights) // 2]
    near = sum(middle <= 2 * height and height <= 2 * middle for height in heights)
    return 10 * near >= kind.heights * len(heights)


def surety(agreement: float) -> int:
    """Which of the len(AGREEMENTS) + 1 steps of confidence an agreement is on."""
    return sum(agreement >= edge for edge in AGREEMENTS)


def first_of_window(kind: Kind, now: int) -> int:
    """The first moment, in sixteenths of a sample, that the window before `now` holds."""
    return (now - WINDOW_S * kind.rate_hz) * FINE

"""Beats in a filtered signal, in whole numbers: a level that follows the last beats, and peaks that reach a part of it.

The same as c/heart_rate.c, sample for sample. Source: Pan and Tompkins, "A Real-Time QRS Detection Algorithm", 1985;
Zong et al., "An open-source algorithm to detect onset of arterial blood pressure pulses", 2003 (slopes of a pulse).
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.wearable.heart_rate.kinds import FINE, WINDOW_S, Kind

Codes = NDArray[np.int16]
_SQUARE_BITS = 6
#: the flanks' strengths are kept over about this many seconds, as a power of two
_FLANK_BITS = 3
#: the other flank is taken once it is steeper by this share of both, as a power of two
_STEEPER_BITS = 4


class Beat(NamedTuple):
    """time: in sixteenths of a sample since the beginning; height: of its peak"""

    time: int
    height: int


class Peaks:
    """Finds beats second by second.

    total: strength of the last 8 s, added up
    upright: the pulse's rising flank is the steeper one, as it should be; turned: how often that changed
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.reset()

    def reset(self) -> None:
        """What comes next does not follow what was."""
        self.now = 0
        self.upright = True
        self.turned = 0
        self._rising = self._falling = 0
        self._before: NDArray[np.int64] = np.zeros(self.kind.lag, np.int64)
        self._strengths: NDArray[np.int64] = np.zeros(self.kind.width - 1, np.int64)
        self._totals: deque[int] = deque(maxlen=WINDOW_S)
        self._begin(0)

    @property
    def total(self) -> int:
        return sum(self._totals)

    def _begin(self, since: int) -> None:
        """The level is learnt anew from this sample on."""
        self.since = since
        self.level = 0
        self._last = since + self.kind.learn
        self._interval = 0
        self._top = -1
        self._top_at = 0
        self._sides = (0, 0)
        self._previous = 0

    def push(self, band: Codes) -> list[Beat]:
        """The beats that these samples of the filtered signal complete, in order."""
        slopes, flanks = self._slopes(band.astype(np.int64))
        strength = self._strength(slopes)
        self._totals.append(int(strength.sum()))
        found = [beat for value in strength.tolist() if (beat := self._step(value))]
        if not self.kind.squared and self._turn(flanks):
            return []
        return found

    def _slopes(self, band: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What beats show in, and over a shorter time what the flanks show in."""
        lag, flank = self.kind.lag, self.kind.flank
        joined = np.concatenate([self._before, band])
        self._before = joined[len(joined) - lag :]
        return band - joined[: len(band)] if lag else band, band - joined[
            lag - flank : lag - flank + len(band)
        ]

    def _strength(self, slopes: NDArray[np.int64]) -> NDArray[np.int64]:
        if self.kind.squared:
            each = slopes * slopes >> _SQUARE_BITS
        else:
            each = np.maximum(slopes if self.upright else -slopes, 0)
        joined = np.concatenate([self._strengths, each])
        self._strengths = joined[len(joined) - (self.kind.width - 1) :]
        sums = np.concatenate([[0], np.cumsum(joined)])
        return sums[self.kind.width :] - sums[: -self.kind.width]

    def _turn(self, flanks: NDArray[np.int64]) -> bool:
        """Whether from here on the other flank is looked at: an inverted pulse falls more steeply than it rises."""
        if self.now <= self.kind.settle:
            return False
        squares = flanks * flanks
        self._rising += int(squares[flanks > 0].sum()) - (self._rising >> _FLANK_BITS)
        self._falling += int(squares[flanks < 0].sum()) - (self._falling >> _FLANK_BITS)
        steeper = self._rising - self._falling if self.upright else self._falling - self._rising
        if self.now < self.since + self.kind.learn or steeper >= -(
            (self._rising + self._falling) >> _STEEPER_BITS
        ):
            return False
        self.upright = not self.upright
        self.turned += 1
        self._begin(self.now)
        return True

    def _step(self, value: int) -> Beat | None:
        kind, at, previous = self.kind, self.now, self._previous
        self.now, self._previous = at + 1, value
        if at < self.since + kind.learn:
            if at >= self.since + kind.settle and value > self.level:
                self.level = value - (value >> 2)
            return None
        if self._top >= 0 and at == self._top_at + 1:
            self._sides = (self._sides[0], value)
        if self._top < 0 and at - self._last > 3 * kind.rate_hz // 2:
            self._fade(at)
        least = max(kind.hold, min(self._interval * 3 >> 3, kind.rate_hz))
        if value > self._top and value * 16 >= self._threshold * kind.part and at - self._last >= least:
            self._top, self._top_at, self._sides = value, at, (previous, 0)
        if self._top < 0 or at - self._top_at < kind.hold:
            return None
        return self._found()

    @property
    def _threshold(self) -> int:
        return max(self.level, self.kind.least)

    def _fade(self, at: int) -> None:
        if (at - self._last) % (self.kind.rate_hz // 4) == 0:
            self.level -= self.level >> 3

    def _found(self) -> Beat:
        top = self._top
        beat = Beat(self._top_at * FINE + _shift(self._sides[0], top, self._sides[1]), top)
        self.level = (3 * self._threshold + min(top, 2 * self._threshold)) >> 2
        self._interval = self._top_at - self._last
        self._last = self._top_at
        self._top = -1
        return beat


def _shift(before: int, top: int, after: int) -> int:
    """Where a parabola through three neighbours is highest, in sixteenths of a sample from the middle one: -8 … 8."""
    rise, bend = top - before, 2 * top - before - after
    if bend <= 0:
        return 0
    return -(FINE // 2) if rise <= 0 else FINE * rise // bend - FINE // 2

"""Brings a signal of any unit to the codes that the integers take: a middle taken off, and a power of two.

A converter's counts are what a device works on, and stay as they are. A file's real numbers (volts, 0 … 1, counts above
16 bits) get a middle and a gain from their first seconds. Both are chosen anew, and everything begins anew, once the
signal leaves the range or shrinks far below it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

#: seconds that the middle and the gain are chosen from, and over which they are judged
LEARN_S, JUDGE_S = 2.0, 8.0
#: the spread (2nd to 98th percentile) is brought to this many codes, to twice as many at most
WANTED = 2048.0
#: and chosen anew below this, or with more than this share out of range
_LEAST, _OUT_SHARE = WANTED / 16, 0.05
HALF_RANGE = 32768.0

Real = NDArray[np.float64]


class Scaling:
    """Real numbers to shares of int16's range. rate_hz: of the samples. middle, gain: None before they are chosen."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self.reset()

    def reset(self) -> None:
        """The next samples are of another signal."""
        self.middle: float | None = None
        self.gain = 1.0
        self._kept: Real = np.zeros(0)

    def push(self, samples: Real) -> tuple[Real, bool]:
        """samples: (n,). Gives all that can be told now, ±1 is full scale, and whether it begins anew with them."""
        self._kept = np.concatenate([self._kept, samples])
        if self.middle is None:
            return self._chosen()
        if len(self._kept) >= JUDGE_S * self._rate_hz:
            fits, self._kept = self._fits(), np.zeros(0)
            if not fits:
                self.reset()
                return self.push(samples)
        return self._shares(samples), False

    def _chosen(self) -> tuple[Real, bool]:
        spread = _spread(self._kept)
        if len(self._kept) < LEARN_S * self._rate_hz:
            return np.zeros(0), False
        if not spread > 0:  # a flat line says nothing about the signal that may come
            self._kept = self._kept[-round(LEARN_S * self._rate_hz) :]
            return np.zeros(0), False
        self.middle = float(np.median(self._kept))
        self.gain = 2.0 ** math.ceil(math.log2(WANTED / spread))
        told, self._kept = self._shares(self._kept), np.zeros(0)
        return told, True

    def _fits(self) -> bool:
        shares = self._shares(self._kept)
        within = float(np.mean(np.abs(shares) < 1.0)) >= 1 - _OUT_SHARE
        return within and _spread(shares) * HALF_RANGE >= _LEAST

    def _shares(self, samples: Real) -> Real:
        return (samples - (self.middle or 0.0)) * (self.gain / HALF_RANGE)


def _spread(samples: Real) -> float:
    if not len(samples):
        return 0.0
    low, high = np.percentile(samples, [2, 98])
    return float(high - low)

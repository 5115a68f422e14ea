"""How much a sound stands out of the room, in integers: what tells a phrase from the pause after it.

Per hop of n samples x, in 64-bit integers:

    power = floor((n · Σx² − (Σx)²) / n²)        without what is constant
    level = log2(power + 1) · 256                its fraction taken linearly between powers of two; at least LEAST
    floor = level where that is lower, else it rises by RISE a second, up to the level, while nobody speaks;
            never below the lowest level of the last FOLLOWS_S, whoever speaks
    score = level − floor                        256 is 3 dB

Speech has a dip in every so many syllables; what has none for FOLLOWS_S is the room.

Source: the noise floor by minimum statistics, Martin, "Noise power spectral density estimation", 2001, simplified.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

ONE_BITS = 8
#: a room is never taken to be quieter: 8 codes of int16, −72 dB
LEAST = 6 << ONE_BITS
#: in units of `level` a second
RISE = 256
#: no sound that goes on for so long without a dip is speech
FOLLOWS_S = 1.5
#: what a room is taken for where nothing is known: 32 codes of int16, −60 dB
_QUIET = 10 << ONE_BITS
_FINE_BITS = 16


def level_of(samples: NDArray[np.int16]) -> int:
    """samples: any shape. Gives log2 of their power in 1/256."""
    x = samples.reshape(-1).astype(np.int64)
    n, total = len(x), int(x.sum())
    power = (n * int((x * x).sum()) - total * total) // (n * n) + 1
    whole = power.bit_length() - 1
    fraction = ((power << ONE_BITS) >> whole) - (1 << ONE_BITS)
    return max((whole << ONE_BITS) + fraction, LEAST)


def rise_of(hop_samples: int, rate_hz: int) -> int:
    """What the floor rises by in a hop, in 2^-16 of a unit."""
    return (RISE << _FINE_BITS) * hop_samples // rate_hz


def hops_followed(hop_samples: int, rate_hz: int) -> int:
    """How many levels FOLLOWS_S holds."""
    return max(1, -(-round(FOLLOWS_S * rate_hz) // hop_samples))


class Loudness:
    """The score of hop after hop.

    quiet: the room is taken to be quiet at first, so that a clip may begin with speech; else for what the first hop is
    """

    def __init__(self, hop_samples: int, rate_hz: int, quiet: bool = False) -> None:
        self._rise = rise_of(hop_samples, rate_hz)
        self._quiet = quiet
        self._recent: deque[int] = deque(maxlen=hops_followed(hop_samples, rate_hz))
        self.reset()

    def reset(self) -> None:
        """What comes next may be another room."""
        self._floor: int | None = (
            _QUIET << _FINE_BITS if self._quiet else None
        )  # in 2^-16 of a unit of `level`
        self._recent.clear()
        self._loudest = 0

    def see(self, samples: NDArray[np.int16], speaking: bool) -> int:
        """The score of the next hop, 0 or more; speaking: whether a phrase goes on."""
        level = level_of(samples)
        self._recent.append(level)
        self._loudest = max(self._loudest, level) if speaking else level
        fine = level << _FINE_BITS
        if self._floor is None or fine < self._floor:
            self._floor = fine
        else:
            self._floor = max(self._risen(fine, speaking), self._lowest())
        return level - (self._floor >> _FINE_BITS)

    @property
    def loudest(self) -> int:
        """The score that the loudest hop of the phrase has in the room as it is known now."""
        return self._loudest - ((self._floor or 0) >> _FINE_BITS)

    def _risen(self, fine: int, speaking: bool) -> int:
        floor = self._floor or 0
        return floor if speaking else min(floor + self._rise, fine)

    def _lowest(self) -> int:
        """Of the last levels, once there are enough of them."""
        return min(self._recent) << _FINE_BITS if len(self._recent) == self._recent.maxlen else 0

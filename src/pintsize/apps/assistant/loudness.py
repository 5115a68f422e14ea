"""How much a sound stands out of the room, in integers: what tells a phrase from the pause after it.

Per hop of n samples x, in 64-bit integers:

    power = floor((n · Σx² − (Σx)²) / n²)        without what is constant
    level = log2(power + 1) · 256                its fraction taken linearly between powers of two; at least LEAST
    floor = level where that is lower, else it rises by RISE a second, up to the level, while nobody speaks
    score = level − floor                        256 is 3 dB

Source: the noise floor by minimum statistics, Martin, "Noise power spectral density estimation", 2001, simplified.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ONE_BITS = 8
#: a room is never taken to be quieter: 8 codes of int16, −72 dB
LEAST = 6 << ONE_BITS
#: in units of `level` a second
RISE = 256
#: what a room is taken for where nothing is known: 32 codes of int16, −60 dB
_QUIET = 10 << ONE_BITS
_HIGHEST = 64 << ONE_BITS
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


class Loudness:
    """The score of hop after hop.

    quiet: the room is taken to be quiet at first, so that a clip may begin with speech; else for what the first hop is
    """

    def __init__(self, hop_samples: int, rate_hz: int, quiet: bool = False) -> None:
        self._rise = rise_of(hop_samples, rate_hz)
        self._quiet = quiet
        self.reset()

    def reset(self) -> None:
        """What comes next may be another room."""
        self._floor: int | None = (
            _QUIET << _FINE_BITS if self._quiet else None
        )  # in 2^-16 of a unit of `level`
        self._lowest = _HIGHEST

    def see(self, samples: NDArray[np.int16], speaking: bool) -> int:
        """The score of the next hop, 0 or more; speaking: while a phrase goes on the floor does not rise."""
        level = level_of(samples)
        fine = level << _FINE_BITS
        self._lowest = min(self._lowest, level) if speaking else _HIGHEST
        if self._floor is None or fine < self._floor:
            self._floor = fine
        elif not speaking:
            self._floor = min(self._floor + self._rise, fine)
        return level - (self._floor >> _FINE_BITS)

    def settle(self) -> None:
        """What went on for too long was no phrase but the room: its lowest level is the floor."""
        if self._lowest < _HIGHEST:
            self._floor = self._lowest << _FINE_BITS
        self._lowest = _HIGHEST

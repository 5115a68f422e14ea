"""What differs between a pulse wave and an electrocardiogram; all times in samples, all levels in codes of int16."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Name = Literal["ppg", "ecg"]

#: answers look back this far, and need beats over at least so much of it
WINDOW_S, LEAST_SPAN_S = 8, 4
#: beats are timed to 1/16 of a sample, rates told to 1/16 of a beat per minute
FINE = 16
#: a rate outside of this is none, in beats per minute
LOWEST_BPM, HIGHEST_BPM = 25, 230
#: after so many samples (6 days at 125 Hz) everything begins anew, so that times fit 32 bits
LONGEST = 1 << 26
#: a sample so far out is at the end of the converter's range
RAIL = 32_760


@dataclass(frozen=True)
class Kind:
    """How beats are found in one kind of signal.

    rate_hz: of the samples, which are also taken and answered a second at a time
    low_hz, high_hz, order: of the band-pass before everything else
    lag: beats show in how much the band differs from what it was so many samples before; 0: in the band itself
    flank: which side of a pulse is the steeper one shows in differences over so many samples; 0: is not asked
    squared: in squares of it, over 64, added up over `width` samples; else in the steeper one of its two flanks
    hold: a beat is one once nothing higher came for so many samples, and the next comes no sooner
    part: of the level of the last beats, in sixteenths, that a beat must reach
    least: a level below this is noise
    near, far: intervals within these tenths of the middle one agree with it
    agreeing: so many of 10 intervals must
    heights: so many of 10 beats must be half to twice as high as the middle one
    distinct: so many tenths of the mean strength the middle beat must have; noise has no more than 24
    """

    name: Name
    title: str
    rate_hz: int
    low_hz: float
    high_hz: float
    order: int
    lag: int
    flank: int
    squared: bool
    width: int
    hold: int
    part: int
    least: int
    near: int
    far: int
    agreeing: int
    heights: int
    distinct: int

    @property
    def settle(self) -> int:
        """Samples after a beginning that the filter needs, and those from which the level is then learnt."""
        return self.rate_hz

    @property
    def learn(self) -> int:
        return 3 * self.rate_hz


PPG = Kind(
    "ppg", "pulse wave", 50, 0.6, 4.0, 1, lag=7, flank=2, squared=False, width=1, hold=11, part=8, least=12, near=7,
    far=13, agreeing=8, heights=8, distinct=0,
)  # fmt: skip
ECG = Kind(
    "ecg", "electrocardiogram", 125, 8.0, 20.0, 1, lag=0, flank=0, squared=True, width=12, hold=30, part=5, least=60,
    near=4, far=19, agreeing=10, heights=0, distinct=26,
)  # fmt: skip
KINDS: dict[str, Kind] = {kind.name: kind for kind in (PPG, ECG)}

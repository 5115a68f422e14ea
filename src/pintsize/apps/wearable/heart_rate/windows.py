"""Windows of 8 s: what was told of each, and what is true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.wearable.heart_rate.following import Following, Timed
from pintsize.apps.wearable.heart_rate.heart_rate import HeartRate
from pintsize.apps.wearable.heart_rate.kinds import WINDOW_S
from pintsize.apps.wearable.heart_rate.rates import Rate
from pintsize.apps.wearable.heart_rate.recordings import Recording
from pintsize.stream.block import Block

STRIDE_S = 2
_BLOCK_S = 0.4


class Window(NamedTuple):
    """told: None where there was no answer at all; true_bpm: 60 over the mean interval of the marked beats"""

    whose: str
    end_s: int
    told: Rate | None
    true_bpm: float

    @property
    def error(self) -> float:
        """Beats per minute away; NaN where none was told."""
        bpm = None if self.told is None else self.told.bpm
        return float("nan") if bpm is None else abs(bpm - self.true_bpm)


def windows_of(heart: HeartRate, recording: Recording) -> list[Window]:
    """A window every 2 s; those in which fewer than two beats are marked are left out."""
    told = dict(answers_of(heart, recording.signals[heart.kind.name], recording.rate_hz))
    ends = range(WINDOW_S, int(recording.seconds) + 1, STRIDE_S)
    truth = [(end, true_rate(recording.beats_s, end - WINDOW_S, end)) for end in ends]
    return [Window(recording.name, end, told.get(end), true) for end, true in truth if np.isfinite(true)]


def rates_of(heart: HeartRate, signal: NDArray[np.float32], rate_hz: float) -> Iterator[tuple[int, float]]:
    """(second, rate) where one was told, of a signal (n,) from its beginning on."""
    for second, rate in answers_of(heart, signal, rate_hz):
        if rate.bpm is not None:
            yield second, rate.bpm


def answers_of(heart: HeartRate, signal: NDArray[np.float32], rate_hz: float) -> Iterator[tuple[int, Rate]]:
    """(second, answer) of a signal (n,) from its beginning on."""
    following = Following(heart, rate_hz)
    step = max(1, round(_BLOCK_S * rate_hz))
    for first in range(0, len(signal), step):
        block = Block(signal[first : first + step, None], first / rate_hz, rate_hz)
        yield from _by_second(following.push(block))
    yield from _by_second(following.finish())


def _by_second(found: Iterable[Timed]) -> Iterator[tuple[int, Rate]]:
    return ((round(time_s), rate) for time_s, rate in found)


def true_rate(beats_s: NDArray[np.float64], first_s: float, stop_s: float) -> float:
    """60 over the mean interval of the beats in between; NaN with fewer than two."""
    inside = beats_s[(beats_s >= first_s) & (beats_s < stop_s)]
    return 60 * (len(inside) - 1) / float(inside[-1] - inside[0]) if len(inside) > 1 else float("nan")

"""What a beat is judged against: the patient's own rhythm and the patient's own typical beat, in integers.

    interval row    how the interval before the beat compares with the recent ones, in 64ths (64: the same), less 64
    beat row        the window less its mean, in 96ths of the typical beat's peak-to-peak
    typical beat    a running mean that no single beat moves far: T += clamp(x − T, ±amplitude / 4) / 16

Divisions of integers round towards zero, as in C.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.ecg.beats.finder import Beat

Codes = NDArray[np.int64]

#: intervals that the rhythm is judged by
INTERVALS = 32
#: of them in order, the one that stands for a long interval: a mean misleads where most beats come early
LONG = 28
#: numbers of the rhythm that a beat brings
RHYTHM = 8
#: the typical beat is kept in so many fractional bits, and is a plain mean of the first beats
TYPICAL_BITS, FIRST_BEATS = 4, 8
#: the typical beat moves by 1/FOLLOWING of the difference, which counts up to 1/FURTHEST of its amplitude
FOLLOWING, FURTHEST = 16, 4
#: codes of a typical beat from its lowest to its highest sample, which is no less than this many raw samples' codes
PEAK_TO_PEAK, LEAST_AMPLITUDE = 96, 20
#: two equal intervals have the ratio ONE; the largest code
ONE, MOST = 64, 127


class PatientContext:
    """One patient's recent intervals and typical beat. Begins anew where the signal breaks.

    before, after: samples of a window around the R peak
    """

    def __init__(self, before: int, after: int, rate_hz: int) -> None:
        self._samples, self._rate_hz = before + after, rate_hz
        self.reset("the beginning")

    def reset(self, reason: str) -> None:
        """Forgets the patient: another may follow."""
        self._last: int | None = None
        self._intervals: deque[int] = deque(maxlen=INTERVALS)
        self._rhythm = np.zeros(RHYTHM, np.int64)
        self._typical = np.zeros(self._samples, np.int64)
        self._beats = 0

    @property
    def ready(self) -> bool:
        """Whether enough beats were seen to judge one."""
        return self._beats >= FIRST_BEATS and len(self._intervals) >= FIRST_BEATS

    def update(self, beat: Beat) -> None:
        """The next beat: its rhythm is that of which `rows` tells until the beat after it."""
        if self._last is not None and beat.sample > self._last:
            interval = beat.sample - self._last
            self._rhythm = self._compared(interval)
            self._intervals.append(interval)
        self._last = beat.sample

    def rows(self, window: NDArray[np.int16]) -> tuple[Codes, Codes, Codes]:
        """(samples,) the beat and (samples,) the typical beat of before it, and (RHYTHM,) its rhythm, each ±127.

        window: (before + after,) raw samples around the R peak.
        """
        beat = _centred(window) << TYPICAL_BITS
        typical = self._typical if self._beats else beat
        amplitude = max(int(typical.max() - typical.min()), LEAST_AMPLITUDE << TYPICAL_BITS)
        return _within(beat, amplitude), _within(typical, amplitude), self._rhythm

    def learn(self, window: NDArray[np.int16]) -> None:
        """Lets the typical beat follow this one, which was judged before."""
        difference = (_centred(window) << TYPICAL_BITS) - self._typical
        if self._beats < FIRST_BEATS:
            self._beats += 1
            self._typical = self._typical + _quotients(difference, self._beats)
            return
        furthest = int(self._typical.max() - self._typical.min()) // FURTHEST
        self._typical = self._typical + _quotients(np.clip(difference, -furthest, furthest), FOLLOWING)

    def _compared(self, interval: int) -> Codes:
        before = list(self._intervals)
        if not before:
            return np.zeros(RHYTHM, np.int64)
        mean = sum(before) // len(before)
        long = sorted(before)[len(before) * LONG // INTERVALS]
        uneven = sum(abs(each - mean) for each in before) // len(before)
        second = before[-2] if len(before) > 1 else before[-1]
        return np.clip(
            [
                _ratio(interval, mean), _ratio(interval, long), _ratio(before[-1], mean),
                _ratio(interval, before[-1]), _ratio(second, mean), 2 * ONE * uneven // mean,
                _ratio(interval, self._rate_hz), _ratio(long, self._rate_hz),
            ],
            -MOST,
            MOST,
        )  # fmt: skip


def _ratio(one: int, other: int) -> int:
    """0 where both are the same; neither is negative, and the other not 0."""
    return ONE * one // other - ONE


def _centred(window: NDArray[np.int16]) -> Codes:
    wide = window.astype(np.int64)
    return wide - _quotient(int(wide.sum()), len(wide))


def _within(row: Codes, amplitude: int) -> Codes:
    return np.clip(_quotients(PEAK_TO_PEAK * row, amplitude), -MOST, MOST)


def _quotients(numbers: Codes, by: int) -> Codes:
    """Rounded towards zero."""
    return np.sign(numbers) * (np.abs(numbers) // by)


def _quotient(number: int, by: int) -> int:
    return number // by if number >= 0 else -(-number // by)

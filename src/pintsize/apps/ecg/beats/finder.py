"""What turns the band-passed signal into beats: energy, two levels, a refractory time and a search back, in integers.

    energy[t] = Σ of Σ |y| over `width` samples each          a triangle of 2·width samples
    candidate   the largest local maximum of the energy within `settle` samples that is above the threshold
    threshold   noise + (signal − noise) · share / 16, and never under `floor`
    signal, noise   levels that move by 1/8 (1/16) towards the energy of each beat (of each maximum that is none)

The levels begin with the first `learning` samples, whose beats are told at their end. A search back takes the
largest maximum above three quarters of the threshold when none came for 5/3 of the usual interval. All shifts round
down.

Source: Pan and Tompkins, A Real-Time QRS Detection Algorithm, IEEE Trans. Biomed. Eng., 1985.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import UserError

#: maxima that a search back may look at
KEPT = 16


@dataclass(frozen=True)
class Beat:
    """time_s: of the R peak, by the source's clock; sample: of the R peak, counted from where the finder began

    score: its energy against the threshold, in sixteenths: 16 is just a beat
    """

    time_s: float
    sample: int
    score: int


@dataclass(frozen=True)
class FinderRule:
    """Times in samples at rate_hz, energies in the codes of the band-passed signal.

    width: of each of the two sums; delay: from the R peak to the maximum of the energy it makes
    settle: after a candidate a larger maximum may still take its place; refractory: none after it is a beat
    slow: within this of a beat a maximum must have half of its energy, else it is the T wave
    share: of sixteen parts from noise to signal where the threshold lies
    learning: at the beginning; patience: without a beat the levels sink; floor: the least threshold
    """

    rate_hz: int = 180
    width: int = 14
    delay: int = 22
    settle: int = 40
    refractory: int = 45
    slow: int = 65
    share: int = 5
    learning: int = 360
    patience: int = 540
    floor: int = 600

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise UserError(f"beats: {field.name} is {getattr(self, field.name)}, it must be at least 1")


def rule_of(facts: Mapping[str, Any]) -> FinderRule:
    """The rule that a manifest keeps. Raises UserError where it is damaged."""
    try:
        return FinderRule(**{name: int(value) for name, value in facts.items()})
    except (TypeError, ValueError) as error:
        raise UserError(f"the rule of the beats in the manifest is damaged: {error}") from error


@dataclass(frozen=True)
class _Maximum:
    """Of the energy: where, in samples, and how much."""

    at: int
    energy: int


class BeatFinder:
    """Told the band-passed codes step by step, gives the beats that are certain by then, in order.

    Nothing lasts over a break: `update(time_s, None)` and `reset` begin anew, with sample 0 next.
    """

    def __init__(self, rule: FinderRule) -> None:
        self.rule = rule
        self.reset("the beginning")

    def reset(self, reason: str) -> None:
        """Forgets everything, what it has not told yet included."""
        self._now = 0  # samples taken
        self._inner, self._outer = [0] * self.rule.width, [0] * self.rule.width
        self._sum = self._energy = 0
        self._rising = False
        self._noise = self._signal = self._peak = 0
        self._interval = self.rule.rate_hz
        self._last: _Maximum | None = None
        self._candidate: _Maximum | None = None
        self._missed: deque[_Maximum] = deque(maxlen=KEPT)
        self._sank = 0  # when the levels last did
        self._told: list[tuple[_Maximum, int]] = []

    @property
    def idle(self) -> bool:
        return self._now == 0

    def update(self, time_s: float, value: NDArray[np.integer[Any]] | None) -> list[Beat]:
        """value: (samples of a step,) codes; None where there are no valid ones. time_s: of the step's end."""
        if value is None:
            self.reset("no valid samples")
            return []
        for code in value.reshape(-1).tolist():
            self._take(abs(code))
        told, self._told = self._told, []
        return [self._beat(maximum, threshold, time_s) for maximum, threshold in told]

    def finish(self, time_s: float) -> list[Beat]:
        """The signal is at its end: the candidate that nothing larger followed so far, if there is one."""
        told, self._told = self._told, []
        if self._candidate is not None:
            told.append((self._candidate, self._threshold))
        beats = [self._beat(maximum, threshold, time_s) for maximum, threshold in told]
        self.reset("the signal ended")
        return beats

    def _beat(self, found: _Maximum, threshold: int, time_s: float) -> Beat:
        sample = found.at - self.rule.delay
        return Beat(
            time_s - (self._now - sample) / self.rule.rate_hz, sample, found.energy * 16 // max(threshold, 1)
        )

    def _take(self, magnitude: int) -> None:
        before, place = self._energy, self._now % self.rule.width
        self._sum += magnitude - self._inner[place]
        self._inner[place] = magnitude
        self._energy += self._sum - self._outer[place]
        self._outer[place] = self._sum
        if self._energy > before:
            self._rising = True
        elif self._rising and self._energy < before:
            self._rising = False
            self._see(_Maximum(self._now - 1, before))
        self._now += 1
        if self._now == self.rule.learning:
            self._learnt()
        self._settle(self._now)
        if self._now - self._sank > self.rule.patience:
            self._sank = self._now
            self._signal -= self._signal >> 3
            self._noise -= self._noise >> 3

    def _see(self, found: _Maximum) -> None:
        if found.at < 2 * self.rule.delay:
            return  # the filter's own beginning
        if self._now < self.rule.learning:
            self._peak = max(self._peak, found.energy)
            if found.energy > self.rule.floor:
                self._missed.append(found)
            return
        self._settle(found.at)
        if self._candidate is not None:
            if found.energy > self._candidate.energy:
                self._candidate = found
            return
        self._search_back(found.at)
        since = self._since_last(found.at)
        if since <= self.rule.refractory:
            return
        if found.energy > self._threshold and not self._is_t_wave(found, since):
            self._candidate = found
            return
        self._noise += (min(found.energy, self._signal) - self._noise) >> 4
        self._missed.append(found)

    def _learnt(self) -> None:
        """The levels are known: what was seen before is looked at again."""
        seen = list(self._missed)
        self._missed.clear()
        self._signal, self._noise = self._peak >> 1, self._peak >> 4
        for found in seen:
            self._see(found)

    def _search_back(self, now: int) -> None:
        if self._last is None or 3 * self._since_last(now) <= 5 * self._interval:
            return
        best = max(self._missed, key=lambda found: found.energy, default=None)
        if best is not None and 4 * best.energy > 3 * self._threshold and best.energy > self.rule.floor:
            self._accept(best)

    def _settle(self, now: int) -> None:
        """A candidate that nothing larger followed for long enough is a beat."""
        if self._candidate is not None and now - self._candidate.at > self.rule.settle:
            self._accept(self._candidate)
            self._candidate = None

    def _accept(self, beat: _Maximum) -> None:
        self._told.append((beat, self._threshold))
        if self._last is not None:
            interval = beat.at - self._last.at
            if self._interval < 2 * interval < 4 * self._interval:
                self._interval += (interval - self._interval) >> 3
        self._signal += (min(beat.energy, 2 * self._signal) - self._signal) >> 3
        self._last, self._sank = beat, beat.at
        while self._missed and self._missed[0].at <= beat.at + self.rule.refractory:
            self._missed.popleft()

    def _since_last(self, now: int) -> int:
        """Samples since the last beat; very many before the first."""
        return now - self._last.at if self._last is not None else now + self.rule.rate_hz

    def _is_t_wave(self, found: _Maximum, since: int) -> bool:
        return self._last is not None and since <= self.rule.slow and 2 * found.energy < self._last.energy

    @property
    def _threshold(self) -> int:
        return max(self.rule.floor, self._noise + ((self._signal - self._noise) * self.rule.share >> 4))

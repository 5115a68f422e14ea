"""From beats to rhythm, in integers: intervals, pauses, runs, patterns. Times are in samples of 180 Hz.

A beat is its time and its class, or None where the classifier abstains. `break_off` says that the beats before do not
join those after: an interval is never measured over a gap or over signal that could not be judged.

Irregular, as in atrial fibrillation: of the last 32 intervals between beats named N or S, more than half
differ from the one before by IRREGULAR or more of the mean, and from the second and the third before it too (an
alternation is regular in that sense). Two such windows that follow one another, 16 intervals apart, are told.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum

from pintsize.apps.ecg.quality import RATE_HZ

CLASSES = ("N", "S", "V", "F")
#: an interval above this is a pause; no beat for so long is told at once
PAUSE, STANDSTILL = 2 * RATE_HZ, 4 * RATE_HZ
RUN_BEATS = 3
#: mean interval of a run that is fast, 100 a minute and more: a ventricular one is then a tachycardia, a
#: supraventricular one is told at all
TACHYCARDIA = 60 * RATE_HZ // 100
#: rates are means of so many intervals
RATE_BEATS = 8
#: V after N, so often one behind the other
BIGEMINY_PAIRS = 3
IRREGULAR_INTERVALS, IRREGULAR_STEP, IRREGULAR_LAGS = 32, 16, 3
IRREGULAR_PER_MILLE = 80
IRREGULAR_WINDOWS = 2
#: longer or shorter ones are no intervals of a heart that beats
LONGEST_INTERVAL, SHORTEST_INTERVAL = 4 * RATE_HZ, RATE_HZ // 5


class Finding(IntEnum):
    """What is told when it happens; C has the same numbers."""

    PAUSE = 0
    STANDSTILL = 1
    COUPLET = 2
    VENTRICULAR_RUN = 3
    VENTRICULAR_TACHYCARDIA = 4
    RUN_OVER = 5
    BIGEMINY = 6
    SUPRAVENTRICULAR_RUN = 7
    IRREGULAR = 8


NAMES = {
    Finding.PAUSE: "pause",
    Finding.STANDSTILL: "no beat",
    Finding.COUPLET: "ventricular couplet",
    Finding.VENTRICULAR_RUN: "ventricular run",
    Finding.VENTRICULAR_TACHYCARDIA: "ventricular tachycardia",
    Finding.RUN_OVER: "ventricular run over",
    Finding.BIGEMINY: "ventricular bigeminy",
    Finding.SUPRAVENTRICULAR_RUN: "supraventricular run",
    Finding.IRREGULAR: "irregularly irregular",
}


@dataclass(frozen=True)
class Event:
    """finding: what; start: of its first beat, or of the pause; length: samples that it lasts; beats: in it."""

    finding: Finding
    start: int
    length: int
    beats: int


@dataclass
class Counts:
    """What a recording had in it. Intervals and lengths in samples; fastest, slowest: sums of RATE_BEATS intervals.

    learning: of the abstained, those while the classifier still got to know the patient
    """

    classes: list[int] = field(default_factory=lambda: [0] * len(CLASSES))
    abstained: int = 0
    learning: int = 0
    intervals: int = 0
    interval_sum: int = 0
    fastest: int = 0
    slowest: int = 0
    pauses: int = 0
    longest_pause: int = 0
    standstills: int = 0
    couplets: int = 0
    ventricular_runs: int = 0
    longest_run: int = 0
    tachycardias: int = 0
    fastest_run: int = 0
    bigeminies: int = 0
    supraventricular_runs: int = 0
    irregular_windows: int = 0
    regular_windows: int = 0
    irregularities: int = 0

    @property
    def beats(self) -> int:
        return sum(self.classes) + self.abstained


class Rhythm:
    """Told beat after beat. `counts` is of everything since it was made."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.break_off()

    def break_off(self) -> None:
        """What comes next does not follow what was."""
        self._last: int | None = None
        self._still = False
        self._recent: deque[int] = deque(maxlen=RATE_BEATS)
        self._even: deque[int] = deque(maxlen=IRREGULAR_INTERVALS)
        self._since_window = 0
        self._irregular = 0
        self._break_patterns()

    def _break_patterns(self) -> None:
        self._label: str | None = None
        self._ventricular = self._supraventricular = 0
        self._run_start = self._supraventricular_start = self._pairs_start = 0
        self._pairs = 0

    def beat(self, at: int, label: str | None) -> list[Event]:
        """at: sample of the beat, later than the one before; label: one of CLASSES or None."""
        told: list[Event] = []
        self._count(label)
        interval = None if self._last is None else at - self._last
        if interval is not None:
            told += self._measure(interval, label)
        told += self._follow(at, label)
        self._last, self._label, self._still = at, label, False
        return told

    def wait(self, now: int) -> list[Event]:
        """No beat is to come any more before this time."""
        if self._last is None or self._still or now - self._last < STANDSTILL:
            return []
        self._still = True
        self.counts.standstills += 1
        return [Event(Finding.STANDSTILL, self._last, now - self._last, 0)]

    def _count(self, label: str | None) -> None:
        if label is None:
            self.counts.abstained += 1
        else:
            self.counts.classes[CLASSES.index(label)] += 1

    def _measure(self, interval: int, label: str | None) -> list[Event]:
        assert self._last is not None
        counts, told = self.counts, []
        if interval > PAUSE:
            counts.pauses += 1
            counts.longest_pause = max(counts.longest_pause, interval)
            told.append(Event(Finding.PAUSE, self._last, interval, 0))
        if SHORTEST_INTERVAL <= interval <= LONGEST_INTERVAL:
            counts.intervals += 1
            counts.interval_sum += interval
            self._rate(interval)
            if label in ("N", "S") and self._label in ("N", "S"):
                told += self._even_interval(interval)
        else:
            self._recent.clear()
        return told

    def _rate(self, interval: int) -> None:
        self._recent.append(interval)
        if len(self._recent) == RATE_BEATS:
            total, counts = sum(self._recent), self.counts
            counts.fastest = total if counts.fastest == 0 else min(counts.fastest, total)
            counts.slowest = max(counts.slowest, total)

    def _even_interval(self, interval: int) -> list[Event]:
        self._even.append(interval)
        self._since_window += 1
        if len(self._even) < IRREGULAR_INTERVALS or self._since_window < IRREGULAR_STEP:
            return []
        self._since_window = 0
        if not irregular(self._even):
            self.counts.regular_windows += 1
            self._irregular = 0
            return []
        self.counts.irregular_windows += 1
        self._irregular += 1
        if self._irregular != IRREGULAR_WINDOWS:
            return []
        self.counts.irregularities += 1
        total = sum(self._even)
        assert self._last is not None
        return [Event(Finding.IRREGULAR, self._last + interval - total, total, IRREGULAR_INTERVALS)]

    def _follow(self, at: int, label: str | None) -> list[Event]:
        """Runs and patterns of classes."""
        told = self._ventricular_beat(at) if label == "V" else self._other_beat()
        self._supraventricular = self._supraventricular + 1 if label == "S" else 0
        if self._supraventricular == 1:
            self._supraventricular_start = at
        length = at - self._supraventricular_start if self._supraventricular else 0
        if self._supraventricular == RUN_BEATS and length <= TACHYCARDIA * (RUN_BEATS - 1):
            self.counts.supraventricular_runs += 1
            start = self._supraventricular_start
            told.append(Event(Finding.SUPRAVENTRICULAR_RUN, start, length, RUN_BEATS))
        told += self._bigeminy(at, label)
        return told

    def _ventricular_beat(self, at: int) -> list[Event]:
        self._ventricular += 1
        if self._ventricular == 1:
            self._run_start = at
        length = at - self._run_start
        if self._ventricular < RUN_BEATS:
            return []
        counts, intervals = self.counts, self._ventricular - 1
        counts.longest_run = max(counts.longest_run, self._ventricular)
        if self._ventricular > RUN_BEATS:
            return []
        counts.ventricular_runs += 1
        fast = length <= TACHYCARDIA * intervals
        if fast:
            counts.tachycardias += 1
            counts.fastest_run = length if counts.fastest_run == 0 else min(counts.fastest_run, length)
        finding = Finding.VENTRICULAR_TACHYCARDIA if fast else Finding.VENTRICULAR_RUN
        return [Event(finding, self._run_start, length, self._ventricular)]

    def _other_beat(self) -> list[Event]:
        """What ends a run of ventricular beats."""
        beats, self._ventricular = self._ventricular, 0
        if beats < 2 or self._last is None:
            return []
        if beats == 2:
            self.counts.couplets += 1
        if beats == RUN_BEATS:
            return []
        finding = Finding.COUPLET if beats == 2 else Finding.RUN_OVER
        return [Event(finding, self._run_start, self._last - self._run_start, beats)]

    def _bigeminy(self, at: int, label: str | None) -> list[Event]:
        if label == "V" and self._label == "N":
            if self._pairs == 0:
                self._pairs_start = at
            self._pairs += 1
            if self._pairs != BIGEMINY_PAIRS:
                return []
            self.counts.bigeminies += 1
            start = self._pairs_start
            return [Event(Finding.BIGEMINY, start, at - start, 2 * BIGEMINY_PAIRS)]
        if not (label == "N" and self._label == "V"):
            self._pairs = 0
        return []


def irregular(intervals: deque[int]) -> bool:
    """Whether more than half of the intervals differ much from the one, two and three before."""
    values, total = list(intervals), sum(intervals)
    for lag in range(1, IRREGULAR_LAGS + 1):
        pairs = len(values) - lag
        far = sum(
            abs(values[at] - values[at - lag]) * 1000 * len(values) >= IRREGULAR_PER_MILLE * total
            for at in range(lag, len(values))
        )
        if 2 * far <= pairs:
            return False
    return True


def bpm(intervals: int, length: int) -> float | None:
    """Beats a minute of so many intervals that last `length` samples, to a tenth; None of none."""
    return (
        ((600 * RATE_HZ * intervals + length // 2) // length) / 10 if length > 0 and intervals > 0 else None
    )

"""From band-passed samples to decisions, beat by beat: gate, beats, classes, rhythm, triage.

A beat is told once the samples of its window are there, less than a second behind. Whatever the gate does not pass is
not judged, and nothing is measured across it. What holds is told; what no longer holds is told as None with the reason.
The time is the source's alone; in C it is counted in samples (`firmware/c/ecg.c`).

| kind | value |
|---|---|
| beat | N, S, V, F; None with the reason |
| finding | what the rhythm showed: pause, ventricular tachycardia, … |
| rate | beats a minute in the last 10 s; None with the reason |
| quality | ok; None with the reason |
| lead | "reversed suspected" |
| rhythm | mean rate of the whole recording, with its counts |
| triage | urgent, repeat, refer, normal, with the reasons |
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.ecg.beats import Beat
from pintsize.apps.ecg.classes import BeatClass
from pintsize.apps.ecg.decisions import finding, rhythm_of, triage_of
from pintsize.apps.ecg.pieces import Pieces
from pintsize.apps.ecg.quality import RATE_HZ, REASONS, Fault, Gate
from pintsize.apps.ecg.rhythm import Event, Rhythm, bpm
from pintsize.apps.ecg.study import BadSpan, Study, ToldBeat, ToldEvent, Trace
from pintsize.apps.ecg.triage import Recorded, triage
from pintsize.apps.stages import Stage
from pintsize.stream.decision import Decision
from pintsize.stream.framing import Frame

#: kept of the signal for windows of beats that were found late
RING = 1024
#: how often the rate is told, and of how many intervals at least
RATE_EVERY, RATE_LEAST = 10 * RATE_HZ, 3
#: a beat may still be told of so long ago
LATEST = RATE_HZ
#: the sign of the QRS: its extremes within NEAR of the peak against the mean of 12 samples before it
NEAR, BASE_FROM, BASE_SAMPLES = 9, 27, 12
#: a hole in the signal is counted as so long at most: a clock that jumped says nothing
LONGEST_HOLE = 60 * RATE_HZ
TOO_LATE = "its samples are no longer there"
CUT_OFF = "the signal ended within its window"


class Monitoring:
    """The decider of a run: told the band-passed samples and the samples themselves of every step.

    keep: beats, events and signal are kept for a page. `studies` has one for each recording that ended.
    """

    def __init__(self, pieces: Pieces, keep: bool = False) -> None:
        self._beats, self._classes = pieces.beats, pieces.classes
        self._classify = Stage("classes", pieces.classes.artifact, pieces.classes.classify)
        self._finder = pieces.beats.finder()
        self._context = pieces.classes.context()
        self._keep = keep
        self.studies: list[Study] = []
        self._end_s: float | None = None
        self._begin()
        self._break()

    @property
    def stages(self) -> tuple[Stage[..., Any], ...]:
        return (self._classify,)

    def _begin(self) -> None:
        """A recording."""
        self._rhythm, self._gate = Rhythm(), Gate()
        self._usable = self._total = self._upright = self._inverted = 0
        self._lead_told = False
        self._start_s: float | None = None
        self._told_beats: list[ToldBeat] = []
        self._told_events: list[ToldEvent] = []
        self._bad: list[BadSpan] = []
        self._trace = Trace()
        self._rate_told = False

    def _break(self) -> None:
        """What comes next does not follow what was."""
        self._finder.reset("the signal broke")
        self._context.reset("the signal broke")
        self._gate.reset()
        self._rhythm.break_off()
        self._now = self._origin = 0
        self._ring: NDArray[np.int16] = np.zeros(0, np.int16)
        self._waiting: deque[Beat] = deque()
        self._last: int | None = None
        self._fault = Fault.BEGUN
        self._intervals = self._interval_sum = 0
        self._frame: Frame | None = None

    def hear(self, frame: Frame, fit: bool) -> None:
        self._frame = frame if fit else None

    def update(self, time_s: float, value: NDArray[np.float32] | None) -> Sequence[Decision]:
        """value: the band-passed samples of a step in mV; None where the signal is not fit."""
        frame, self._frame = self._frame, None
        time_s = round(time_s, 6)
        if value is None or frame is None:
            return self._lose(time_s, REASONS[Fault.BROKEN])
        self._take(frame)
        self._await(self._finder.update(time_s, self._beats.codes(value)))
        told = self._announce(time_s)
        while self._waiting and self._waiting[0].sample + self._classes.window_after <= self._now:
            told += self._judge(self._waiting.popleft(), time_s)
        if self._fault is Fault.NONE:
            told += self._found(self._rhythm.wait(self._now - LATEST), time_s)
        if self._now % RATE_EVERY < self._beats.hop_samples:
            told += self._regularly(time_s)
        return told

    def reset(self, reason: str) -> Sequence[Decision]:
        """The signal breaks: nothing that was begun before it goes on after it."""
        return self._lose(self._end_s or 0.0, reason)

    def finish(self, time_s: float) -> Sequence[Decision]:
        """The recording ends: what is known of all of it."""
        time_s = round(time_s, 6)
        if not self._total:
            return ()
        self._await(self._finder.finish(time_s))
        told = [decision for beat in self._waiting for decision in self._last_beat(beat, time_s)]
        study = self._study()
        self.studies.append(study)
        told += [rhythm_of(study, time_s), triage_of(study, time_s)]
        self._begin()
        self._break()
        self._end_s = None
        return told

    @property
    def study(self) -> Study:
        """What is known until now of the recording that goes on, or of the last one that ended."""
        return self._study() if self._total or not self.studies else self.studies[-1]

    def _study(self) -> Study:
        recorded = Recorded(self._rhythm.counts, self._usable, self._total, self._upright, self._inverted)
        end_s = self._end_s or 0.0
        start_s = end_s if self._start_s is None else self._start_s
        kept = tuple(self._told_beats), tuple(self._told_events), tuple(self._bad), self._trace
        return Study(recorded, triage(recorded), start_s, end_s, *kept)

    def _take(self, frame: Frame) -> None:
        samples = frame.samples.reshape(-1)
        if self._end_s is not None and not self._now:
            hole = round((frame.start_s - self._end_s) * RATE_HZ)
            self._total += min(max(hole, 0), LONGEST_HOLE)
        self._start_s = frame.start_s if self._start_s is None else self._start_s
        self._end_s = round(frame.end_s, 6)
        self._gate.see(samples)
        self._now += len(samples)
        self._total += len(samples)
        if self._gate.verdict is Fault.NONE:  # what had only begun is judged with what follows it
            self._usable += self._now if self._fault is Fault.BEGUN else len(samples)
        self._ring = np.concatenate([self._ring, samples])[-RING:]
        if self._keep:
            self._trace.add(frame.start_s, samples)

    def _await(self, beats: Sequence[Beat]) -> None:
        """Their windows are not there yet; the finder counts from where it began."""
        self._waiting.extend(replace(beat, sample=self._origin + beat.sample) for beat in beats)

    def _announce(self, time_s: float) -> list[Decision]:
        """Says what is wrong with the signal once, and once that nothing is any more."""
        before, self._fault = self._fault, self._gate.verdict
        if self._keep and self._fault not in (Fault.NONE, Fault.BEGUN):
            self._keep_bad(time_s, REASONS[self._fault])
        if before is self._fault or self._fault is Fault.BEGUN:
            return []
        if self._fault is Fault.NONE:
            if before is not Fault.BEGUN:  # levels that were learnt of what was bad would hold for long
                self._finder.reset("the signal is good again")
                self._waiting.clear()
                self._origin = self._now
            return [Decision(time_s, "quality", "ok")]
        reason = REASONS[self._fault]
        self._rhythm.break_off()
        self._context.reset(reason)  # what is on the electrode after it may look different
        self._last = None
        self._intervals = self._interval_sum = 0
        return [Decision(time_s, "quality", None, reason=reason), *self._without_rate(time_s, reason)]

    def _keep_bad(self, time_s: float, reason: str) -> None:
        start_s = time_s - self._beats.hop_samples / RATE_HZ
        if self._bad and self._bad[-1].reason == reason and start_s - self._bad[-1].end_s < 0.01:
            start_s = self._bad.pop().start_s
        self._bad.append(BadSpan(start_s, time_s, reason))

    def _judge(self, beat: Beat, time_s: float) -> list[Decision]:
        """A beat whose window is there."""
        if self._fault is not Fault.NONE:
            self._last = None
            self._rhythm.break_off()
            return []
        self._context.update(beat)
        named, window = BeatClass(None, 0.0, TOO_LATE), self._window(beat.sample)
        if window is not None:
            self._rhythm.counts.learning += not self._context.ready
            named = self._classify(window, self._context)
            self._see_sign(beat.sample, named.label)
        return self._follow(beat.sample, named, time_s)

    def _follow(self, at: int, name: BeatClass, time_s: float) -> list[Decision]:
        """A beat is told, and the rhythm has one more."""
        at_s, interval = self._time_s(at), None if self._last is None else at - self._last
        self._last = at
        if interval is not None:
            self._intervals += 1
            self._interval_sum += interval
        if self._keep:
            seconds = None if interval is None else interval / RATE_HZ
            self._told_beats.append(ToldBeat(at_s, name.label, name.confidence, name.reason, seconds))
        told = Decision(time_s, "beat", name.label, name.confidence, name.reason, start_s=at_s)
        return [told, *self._found(self._rhythm.beat(at, name.label), time_s)]

    def _found(self, events: list[Event], time_s: float) -> list[Decision]:
        told: list[Decision] = []
        for event in events:
            start_s = self._time_s(event.start)
            if self._keep:
                self._told_events.append(ToldEvent(start_s, event))
            told.append(finding(event, time_s, start_s))
        return told

    def _window(self, at: int) -> NDArray[np.int16] | None:
        first = at - self._classes.window_before - (self._now - len(self._ring))
        length = self._classes.window_before + self._classes.window_after
        return self._ring[first : first + length] if first >= 0 else None

    def _see_sign(self, at: int, label: str | None) -> None:
        """Whether the QRS points up or down; of beats that begin in the ventricle nothing follows."""
        first = at - (self._now - len(self._ring))
        if label in ("V", "F") or first < BASE_FROM:
            return
        base = int(self._ring[first - BASE_FROM :][:BASE_SAMPLES].sum(dtype=np.int64)) // BASE_SAMPLES
        near = self._ring[first - NEAR : first + NEAR + 1]
        down = 2 * (base - int(near.min())) > 3 * (int(near.max()) - base)
        self._inverted += down
        self._upright += not down

    def _regularly(self, time_s: float) -> list[Decision]:
        """The rate of the last 10 s, and whether the lead is reversed."""
        told: list[Decision] = []
        intervals, length = self._intervals, self._interval_sum
        self._intervals = self._interval_sum = 0
        if self._fault is not Fault.NONE:
            told += self._without_rate(time_s, REASONS[self._fault])
        elif intervals < RATE_LEAST:
            told += self._without_rate(time_s, f"fewer than {RATE_LEAST} intervals between beats in 10 s")
        else:
            self._rate_told = True
            start_s = round(time_s - RATE_EVERY / RATE_HZ, 6)
            told.append(Decision(time_s, "rate", bpm(intervals, length), start_s=start_s))
        recorded = Recorded(self._rhythm.counts, 0, 0, self._upright, self._inverted)
        if recorded.reversed_suspected and not self._lead_told:
            self._lead_told = True
            told.append(Decision(time_s, "lead", "reversed suspected", reason="the QRS points down"))
        return told

    def _without_rate(self, time_s: float, reason: str) -> list[Decision]:
        """What was told of the rate holds no longer; said once."""
        if not self._rate_told:
            return []
        self._rate_told = False
        return [Decision(time_s, "rate", None, reason=reason)]

    def _lose(self, time_s: float, reason: str) -> list[Decision]:
        if self._keep and self._now:
            self._keep_bad(time_s, reason)
        told = self._without_rate(time_s, reason)
        self._break()
        return told

    def _last_beat(self, beat: Beat, time_s: float) -> list[Decision]:
        """One of those still waiting when the signal ends: without its window it is a beat of no known class."""
        if beat.sample + self._classes.window_after <= self._now:
            return self._judge(beat, time_s)
        return (
            self._follow(beat.sample, BeatClass(None, 0.0, CUT_OFF), time_s)
            if self._fault is Fault.NONE
            else []
        )

    def _time_s(self, sample: int) -> float:
        return round((self._end_s or 0.0) - (self._now - sample) / RATE_HZ, 6)

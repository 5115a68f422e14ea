"""The heart's part of a source: a rate a second from a signal, or as a sensor tells it; then what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np

from pintsize.apps.wearable.alerts import Alerts
from pintsize.apps.wearable.day import Beat, Day, Span
from pintsize.apps.wearable.heart_rate.following import Following
from pintsize.apps.wearable.heart_rate.kinds import HIGHEST_BPM, LOWEST_BPM
from pintsize.apps.wearable.part import Part
from pintsize.stream.block import Block
from pintsize.stream.decision import Decision, MedianTracker, Tracking
from pintsize.stream.decision.stage import AT_THE_END
from pintsize.stream.health import HealthLimits
from pintsize.stream.source import Source
from pintsize.stream.sources.heart_rate_measurement import NO_RATE

HEART = "heart rate"
#: rates are the middle one of so many seconds; without one for so long there is none
_MEDIAN_S, _TIMEOUT_S = 5.0, 10.0
#: two rates of a signal, a second apart, agree within this share
_AGREE = 0.15
#: a sensor's rates may come with holes of so many of its periods
_PERIODS = 3
#: told again after this, or once it has changed by so much
_AGAIN_S, _CHANGE_BPM = 60.0, 3.0
#: another reason for no rate is told after this
_OTHER_S = 30.0
#: a sensor's rate that is the same for so long is stuck
_STUCK_S = 900.0
SIGNAL_LIMITS = HealthLimits(flat_s=1.5, clip_share=0.05)
INVERTED = "the pulse wave seems to be upside down: its rate is as good"


class Found(NamedTuple):
    """bpm: None with the reason; confidence: that it is right, where that is known"""

    time_s: float
    bpm: float | None
    reason: str | None
    confidence: float | None = None


class Reading(Protocol):
    """From blocks to rates."""

    def push(self, block: Block) -> Iterable[Found]: ...
    def reset(self) -> None: ...


class OfSignal:
    """Rates from a pulse wave or an electrocardiogram. spoilt: why a rate at a time cannot be trusted.

    The first rate after none, or after a quite different one, waits for the next one to agree: noise looks like a heart
    for a second now and then.
    """

    def __init__(
        self, following: Following, spoilt: Callable[[float], str | None], noted: Callable[[str], None]
    ) -> None:
        self._following, self._spoilt, self._noted = following, spoilt, noted
        self._before: float | None = None

    def push(self, block: Block) -> Iterable[Found]:
        for time_s, rate in self._following.push(block):
            if rate.inverted and rate.bpm is not None:
                self._noted(INVERTED)
            reason = self._spoilt(time_s) or rate.reason or self._alone(rate.bpm)
            self._before = rate.bpm
            yield Found(time_s, None if reason else rate.bpm, reason, rate.confidence)

    def _alone(self, bpm: float | None) -> str | None:
        if bpm is not None and self._before is not None and abs(bpm - self._before) <= _AGREE * self._before:
            return None
        return "the rate is not confirmed yet"

    def reset(self) -> None:
        self._before = None
        self._following.reset()


class OfSensor:
    """Rates as a sensor tells them: column 0, and its contact with the skin in column 1, where it tells that."""

    def push(self, block: Block) -> Iterable[Found]:
        for at, row in enumerate(block.samples.tolist()):
            reason = _not_a_rate(row[0], row[1] if len(row) > 1 else -1.0)
            yield Found(block.start_s + at / block.rate_hz, None if reason else float(row[0]), reason)

    def reset(self) -> None:
        """Nothing is remembered."""


def _not_a_rate(bpm: float, contact: float) -> str | None:
    if bpm < 0:
        return "there is no number"
    if int(bpm) in NO_RATE and bpm == int(bpm):
        return f"the sensor sends {bpm:.0f}: it has no rate"
    if contact == 0:
        return "no contact with the skin"
    if not LOWEST_BPM <= bpm <= HIGHEST_BPM:
        return f"the sensor sends {bpm:g}: a rate that no heart has"
    return None


class HeartPart(Part):
    """Tracks the rate; tells it, its zone, and alerts. at_rest: whether the person rests at a time, None: not known."""

    def __init__(
        self, source: Source, channels: tuple[int, ...], reading: Reading, day: Day, alerts: Alerts,
        at_rest: Callable[[float], bool | None],
    ) -> None:  # fmt: skip
        told = isinstance(reading, OfSensor)
        period_s = 1 / source.rate_hz if told else 1.0
        limits = HealthLimits(flat_s=_STUCK_S, clip_share=None, gap_s=_PERIODS * period_s)
        super().__init__(HEART, source, channels, limits if told else SIGNAL_LIMITS)
        timeout_s = max(_TIMEOUT_S, _PERIODS * period_s)
        self._told_by_sensor = told
        self._tracking = Tracking(period_s / 2 if told else _MEDIAN_S, timeout_s, LOWEST_BPM, HIGHEST_BPM)
        self._tracker = MedianTracker(self._tracking, HEART)
        self._reading, self._day, self._alerts, self._at_rest = reading, day, alerts, at_rest
        self._last: tuple[float, float | None] | None = None
        self._zone: str | None = None
        self._why = self._why_told = "no rate yet"
        self._now_s = 0.0
        day.period_s = max(period_s, 1.0)

    def _own(self, block: Block) -> Block:
        """A table's empty cell is no number to a sensor's rate, not a broken signal."""
        own = super()._own(block)
        if not self._told_by_sensor or own.samples.dtype.kind != "f":
            return own
        return replace(own, samples=np.where(np.isfinite(own.samples), own.samples, -1.0).astype(np.float32))

    def take(self, block: Block) -> list[Decision]:
        self._day.reach(block.start_s, block.end_s)
        return [decision for found in self._reading.push(block) for decision in self._follow(found)]

    def lack(self, block: Block, reason: str) -> list[Decision]:
        self._day.reach(block.start_s, block.end_s)
        self._reading.reset()
        return self._follow(Found(block.end_s, None, reason))

    def broke(self, reason: str) -> list[Decision]:
        self._reading.reset()
        self._day.breaks.append(Span(self._now_s, self._now_s, None, reason))
        lost = self._tracker.reset(reason)
        self._tracker = MedianTracker(self._tracking, HEART)  # the clock may begin anew
        return self._lose(self._now_s, reason) if lost else []

    def finish(self) -> list[Decision]:
        lost = self._tracker.finish(self._now_s)
        told = self._alerts.finish(self._now_s)
        self._keep_alerts(told)
        return [*self._lose(self._now_s, AT_THE_END), *told] if lost else told

    def _follow(self, found: Found) -> list[Decision]:
        time_s = round(found.time_s, 6)
        back, self._now_s = time_s < self._now_s, time_s
        told = self._tracker.update(time_s, found.bpm)
        if told is not None and told.kind == "measured" and isinstance(told.value, float):
            return self._measured(time_s, told.value, found.confidence)
        if found.reason:
            self._why = found.reason
            self._day.without[found.reason] += 1
        lost = told is not None or back or self._last is None or self._is_other_reason(time_s)
        return (self._lose(time_s, self._why) if lost else []) + self._silence(time_s, self._why)

    def _is_other_reason(self, time_s: float) -> bool:
        """Whether there has been no rate for a while, and now for another reason than was told."""
        if self._last is None or self._last[1] is not None or self._why == self._why_told:
            return False
        return time_s - self._last[0] >= _OTHER_S

    def _measured(self, time_s: float, bpm: float, confidence: float | None) -> list[Decision]:
        at_rest = self._at_rest(time_s)
        self._day.rates.append(Beat(time_s, bpm, at_rest))
        told = self._alerts.rate(time_s, bpm, bool(at_rest))
        self._keep_alerts(told)
        if self._is_news(time_s, bpm):
            self._last = time_s, bpm
            told = [Decision(time_s, "heart_rate", round(bpm, 1), confidence), *told]
        zone = self._day.zones.of(bpm, self._zone)
        if zone != self._zone:
            self._zone = zone
            told.append(Decision(time_s, "zone", zone))
        return told

    def _is_news(self, time_s: float, bpm: float) -> bool:
        if self._last is None or self._last[1] is None:
            return True
        return abs(self._last[1] - bpm) >= _CHANGE_BPM or not 0 <= time_s - self._last[0] < _AGAIN_S

    def _lose(self, time_s: float, reason: str) -> list[Decision]:
        """What was told holds no longer."""
        was_told = self._last is None or self._last[1] is not None or self._why != self._why_told
        self._why = self._why_told = reason
        self._last, self._zone = (time_s, None), None
        told = [Decision(time_s, "heart_rate", None, reason=reason)] if was_told else []
        return told + self._silence(time_s, reason)

    def _silence(self, time_s: float, reason: str) -> list[Decision]:
        told = self._alerts.silence(time_s, reason) if self._last is None or self._last[1] is None else []
        self._keep_alerts(told)
        return told

    def _keep_alerts(self, told: Iterable[Decision]) -> None:
        for decision in told:
            label = str(decision.value)
            start_s = decision.time_s if decision.start_s is None else decision.start_s
            if decision.kind == "alert":
                self._day.alerts.append(Span(start_s, decision.time_s, label, decision.reason))
            elif decision.kind == "alert over":
                begun = [at for at, span in enumerate(self._day.alerts) if span.label == label]
                if begun:
                    self._day.alerts[begun[-1]] = replace(self._day.alerts[begun[-1]], end_s=decision.time_s)

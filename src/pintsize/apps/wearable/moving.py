"""The body's part of a source: motion by the second, and what somebody does, from acceleration and turning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import pi

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.wearable.activity import ActivityModel, Told
from pintsize.apps.wearable.activity.activity import ACCELERATION_PER_CODE, TURNING_PER_CODE
from pintsize.apps.wearable.day import Day
from pintsize.apps.wearable.gravity import Gravity
from pintsize.apps.wearable.motion import Motion
from pintsize.apps.wearable.part import Part
from pintsize.stream.block import Block
from pintsize.stream.convert import Conversion, Converter
from pintsize.stream.decision import Decision
from pintsize.stream.framing import Framing
from pintsize.stream.health import HealthLimits
from pintsize.stream.source import Source

MOVING = "motion"
#: a watch on a table may give one value for long; samples come late in bundles
LIMITS = HealthLimits(flat_s=120.0, clip_share=None)
_HALF_RANGE = 32768.0
NO_TURNING = "activity is judged from acceleration and turning: there is no gyroscope here"
#: below this rate the activity's model would hear nothing of what it listens to
LEAST_HZ = 20.0


class Activity:
    """Asks the model about samples at any rate. ask: the model's own, or what counts its calls."""

    def __init__(
        self, model: ActivityModel, rate_hz: float, ask: Callable[[float, NDArray[np.int16]], Told] | None = None
    ) -> None:  # fmt: skip
        self.model, self._rate_hz = model, rate_hz
        self._ask = ask or model.ask
        self.reset()

    def reset(self) -> None:
        self._converter = Converter(self._rate_hz, 6, 1.0, Conversion(self.model.rate_hz, "all", "int16"))
        self._framing = Framing(self.model.hop_samples, self.model.hop_samples)
        self.model.reset()

    def push(self, block: Block) -> list[tuple[float, Told]]:
        """block: (n, 6) of m/s² and rad/s. Gives (end, what was told) for each step."""
        codes = np.array([1 / ACCELERATION_PER_CODE] * 3 + [1 / TURNING_PER_CODE] * 3)
        shares = np.clip(block.samples * (codes / _HALF_RANGE), -1.0, 1.0).astype(np.float32)
        return [
            (frame.end_s, self._ask(frame.end_s, frame.samples))
            for made in self._converter.push(replace(block, samples=shares))
            for frame in self._framing.push(made)
        ]


class MovingPart(Part):
    """channels: acceleration x, y, z, and then turning x, y, z where it is there."""

    def __init__(
        self, source: Source, channels: Sequence[int], day: Day, activity: Activity | None, in_degrees: bool = False
    ) -> None:  # fmt: skip
        super().__init__(MOVING, source, channels, LIMITS)
        self.motion = Motion(source.rate_hz)
        self._gravity = Gravity(source.rate_hz)
        self._activity, self._day = activity, day
        self._turning_unit = pi / 180 if in_degrees else 1.0
        self._did_last: tuple[str | None, str | None] = ("", None)
        self._unit_told: str | None = None
        self._now_s = 0.0

    def take(self, block: Block) -> list[Decision]:
        self._day.reach(block.start_s, block.end_s)
        self._now_s = block.end_s
        metres = self._gravity.metres(block.samples[:, :3])
        if metres is None:
            return self._unit() + self._tell(block.end_s, None, self._gravity.reason)
        self.motion.push(block.end_s, metres)
        told = self._unit()
        if self._activity is None:
            return told
        both = np.concatenate([metres, block.samples[:, 3:6] * self._turning_unit], axis=1)
        for end_s, found in self._activity.push(replace(block, samples=both)):
            told += self._did(end_s, found)
        return told

    def lack(self, block: Block, reason: str) -> list[Decision]:
        self._now_s = max(self._now_s, block.start_s)
        self._forget()
        return self._tell(block.start_s, None, reason)

    def broke(self, reason: str) -> list[Decision]:
        self._forget()
        return self._tell(self._now_s, None, reason)

    def finish(self) -> list[Decision]:
        return []

    def _forget(self) -> None:
        self.motion.reset()
        if self._activity is not None:
            self._activity.reset()

    def _unit(self) -> list[Decision]:
        """Says once which unit was found, or why none is."""
        found = self._gravity.unit or self._gravity.reason
        waits = self._gravity.unit is None and (found or "").endswith("yet")
        if found == self._unit_told or waits:
            return []
        self._unit_told = found
        if self._gravity.unit is None:
            return [Decision(self._now_s, "health", None, reason=f"{self.name}: {found}")]
        line = f"the accelerometer is in {found}, told by gravity"
        self._day.notes.append(line)
        return [Decision(self._now_s, "unit", found, reason=line)]

    def _did(self, end_s: float, found: Told) -> list[Decision]:
        hop_s = (
            0.0 if self._activity is None else self._activity.model.hop_samples / self._activity.model.rate_hz
        )
        self._day.act(found.about_s - hop_s, found.about_s, found.label, found.reason or None)
        return self._tell(end_s, found.label, found.reason, found.confidence, found.about_s)

    def _tell(
        self, time_s: float, label: str | None, reason: str | None, confidence: float | None = None,
        about_s: float | None = None,
    ) -> list[Decision]:  # fmt: skip
        """Where it changed. An activity that is not asked for is not told of."""
        if self._activity is None or self._did_last[0] == label:
            return []
        self._did_last = label, reason
        if label is None:
            return [Decision(round(time_s, 6), "activity", None, reason=reason or "not known")]
        start_s = None if about_s is None else round(about_s, 6)
        return [Decision(round(time_s, 6), "activity", label, confidence, start_s=start_s)]

"""Notifications of a heart-rate sensor, which come about once a second, as one sample for each second.

| channel | what |
|---|---|
| heart_rate | as the sensor says it, beats per minute; 0 and 255 are no rate, see `heart_rate_measurement` |
| contact | 1 there, 0 lost, -1 not said |
| rr_s | mean interval between the beats that it names, 0 where it names none |
| energy_kj | since it was set to 0, -1 not said |
"""

from __future__ import annotations

import math

import numpy as np

from pintsize.stream.block import Block
from pintsize.stream.sources.heart_rate_measurement import Measurement

CHANNELS = ("heart_rate", "contact", "rr_s", "energy_kj")
RATE_HZ = 1.0
_CONTACT = {"there": 1.0, "lost": 0.0, "not said": -1.0}


class Seconds:
    """Puts notifications on whole seconds of their own clock. The last one of a second counts.

    A second without any is missing, which the next block says; nothing is repeated.
    """

    def __init__(self) -> None:
        self._second: int | None = None
        self._due: int | None = None
        self._held: list[Measurement] = []
        self._index = 0

    def push(self, time_s: float, measurement: Measurement) -> Block | None:
        """The second before, once one of another second comes."""
        second = math.floor(time_s)
        whole = self.flush() if self._second not in (None, second) else None
        self._second = second
        self._held.append(measurement)
        return whole

    def flush(self) -> Block | None:
        """The second that was begun, as it is."""
        if self._second is None or not self._held:
            return None
        second, held, due = self._second, self._held, self._due
        self._second, self._held, self._due = None, [], second + 1
        gap_s = 0.0 if due is None else float(max(second - due, 0))
        self._index += 1
        return Block(_sample(held), float(second), RATE_HZ, gap_s, self._index - 1)


def _sample(held: list[Measurement]) -> np.ndarray:
    last = held[-1]
    intervals_s = [interval for measurement in held for interval in measurement.intervals_s]
    rr_s = float(np.mean(intervals_s)) if intervals_s else 0.0
    energy = -1 if last.energy_kj is None else last.energy_kj
    return np.array([[last.bpm, _CONTACT[last.contact], rr_s, energy]], np.float32)

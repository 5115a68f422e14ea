"""What one recording showed: its beats, what was found in them, what was not usable, and what follows from it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.ecg.quality import COUNTS_PER_MV, RATE_HZ
from pintsize.apps.ecg.rhythm import Event, bpm
from pintsize.apps.ecg.triage import Recorded, Triage

#: so much of a signal is kept for its page
LONGEST_TRACE_S = 3600


@dataclass(frozen=True)
class ToldBeat:
    """time_s: of the R peak; label: N, S, V, F or None, and then the reason; interval_s: to the beat before it."""

    time_s: float
    label: str | None
    confidence: float
    reason: str | None
    interval_s: float | None


@dataclass(frozen=True)
class ToldEvent:
    """An event with its time by the source's clock."""

    start_s: float
    event: Event

    @property
    def length_s(self) -> float:
        return self.event.length / RATE_HZ


@dataclass(frozen=True)
class BadSpan:
    """Where the signal was not fit to be judged, and why."""

    start_s: float
    end_s: float
    reason: str


@dataclass
class Trace:
    """The signal itself, of the last hour, in pieces that follow one another without a break."""

    pieces: deque[tuple[float, NDArray[np.int16]]] = field(default_factory=deque)
    _samples: int = 0

    def add(self, start_s: float, samples: NDArray[np.int16]) -> None:
        """The next samples, in counts."""
        self.pieces.append((start_s, samples.reshape(-1).copy()))
        self._samples += len(self.pieces[-1][1])
        while self._samples > LONGEST_TRACE_S * RATE_HZ:
            self._samples -= len(self.pieces.popleft()[1])

    def between(self, start_s: float, end_s: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(n,) times in s and (n,) mV; NaN where the signal broke."""
        times, values = [np.zeros(0)], [np.zeros(0)]
        for piece_s, samples in self.pieces:
            if piece_s + len(samples) / RATE_HZ <= start_s or piece_s >= end_s:
                continue
            if len(times[-1]) and piece_s - times[-1][-1] > 2 / RATE_HZ:
                times.append(np.array([piece_s]))
                values.append(np.array([np.nan]))
            times.append(piece_s + np.arange(len(samples)) / RATE_HZ)
            values.append(samples.astype(np.float64) / COUNTS_PER_MV)
        joined, millivolts = np.concatenate(times), np.concatenate(values)
        kept = (joined >= start_s) & (joined < end_s)
        return joined[kept], millivolts[kept]


@dataclass(frozen=True)
class Study:
    """start_s, end_s: of the recording by its clock; beats, events, bad, trace: empty where nothing was kept."""

    recorded: Recorded
    triage: Triage
    start_s: float
    end_s: float
    beats: tuple[ToldBeat, ...] = ()
    events: tuple[ToldEvent, ...] = ()
    bad: tuple[BadSpan, ...] = ()
    trace: Trace = field(default_factory=Trace)

    @property
    def rate_bpm(self) -> float | None:
        """Mean over all intervals."""
        counts = self.recorded.counts
        return bpm(counts.intervals, counts.interval_sum)

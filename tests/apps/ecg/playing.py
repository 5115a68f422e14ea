"""An ECG as a source, and what the application decided about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.application import RunOptions
from pintsize.apps.ecg.application import APPLICATION
from pintsize.apps.ecg.pieces import Pieces
from pintsize.apps.ecg.study import Study
from pintsize.apps.ecg.units import UNITS, Scaled
from pintsize.apps.stages import AppReport
from pintsize.errors import SourceLost
from pintsize.stream.block import Block
from pintsize.stream.decision import Decision
from pintsize.stream.sinks import CallbackSink
from pintsize.stream.source import Source
from pintsize.stream.sources.described import Described, Description, numbered


class Leads(Described):
    """Samples (n,) or (n, leads) in blocks of 0.1 s: int16 counts of 5 µV, or mV. lost: why it breaks after them."""

    def __init__(self, samples: NDArray[np.generic], rate_hz: float = 180, lost: str | None = None) -> None:
        short = samples.dtype == np.int16
        shaped = samples if samples.ndim == 2 else samples[:, None]
        full_scale = 32768.0 if short else 1.0
        limits = (-32768.0, 32767.0) if short else None
        super().__init__(Description("leads", rate_hz, numbered(shaped.shape[1]), full_scale, limits))
        self._samples, self._lost = shaped if short else shaped.astype(np.float32), lost

    def blocks(self) -> Iterator[Block]:
        length = round(0.1 * self.rate_hz)
        for index, first in enumerate(range(0, len(self._samples), length)):
            yield Block(self._samples[first : first + length], first / self.rate_hz, self.rate_hz, 0.0, index)
        if self._lost:
            raise SourceLost(self._lost)


def millivolts(samples: NDArray[np.floating], rate_hz: float = 180) -> Source:
    return Scaled(Leads(samples, rate_hz), UNITS["mV"])


@dataclass(frozen=True)
class Played:
    heard: tuple[Decision, ...]
    report: AppReport
    study: Study

    def of(self, kind: str) -> list[Decision]:
        return [decision for decision in self.heard if decision.kind == kind]

    def values(self, kind: str) -> list[str | float | None]:
        return [decision.value for decision in self.of(kind)]

    @property
    def triage(self) -> str | float | None:
        return self.values("triage")[-1]


def played(source: Source, pieces: Pieces) -> Played:
    heard: list[Decision] = []
    report, study = APPLICATION.studied(source, [CallbackSink(heard.append)], RunOptions(), pieces)
    return Played(tuple(heard), report, study)

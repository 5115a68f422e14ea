"""Sound as a source, and what the assistant decided about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.application import RunOptions
from pintsize.apps.assistant.application import APPLICATION
from pintsize.apps.assistant.listening import Listening
from pintsize.apps.assistant.pieces import Pieces
from pintsize.apps.stages import AppReport
from pintsize.errors import SourceLost
from pintsize.stream.block import Block
from pintsize.stream.decision import Decision
from pintsize.stream.sinks import CallbackSink
from pintsize.stream.source import Source
from pintsize.stream.sources.described import Described, Description, numbered


class Sound(Described):
    """Samples (n,) or (n, channels) in blocks of 0.1 s, or of so many samples.

    lost: why it breaks after them, as an unplugged device does.
    """

    def __init__(
        self, samples: NDArray[np.generic], rate_hz: float = 16_000, lost: str | None = None,
        block_samples: int | None = None,
    ) -> None:  # fmt: skip
        short = samples.dtype == np.int16
        limits = (-32768.0, 32767.0) if short else (-1.0, 1.0)
        shaped = samples.reshape(len(samples), -1)
        full_scale = 32768.0 if short else 1.0
        super().__init__(Description("sound", rate_hz, numbered(shaped.shape[1]), full_scale, limits))
        self._samples, self._lost = shaped, lost
        self._length = block_samples or round(0.1 * rate_hz)

    def blocks(self) -> Iterator[Block]:
        length = self._length
        for index, first in enumerate(range(0, len(self._samples), length)):
            yield Block(self._samples[first : first + length], first / self.rate_hz, self.rate_hz, 0.0, index)
        if self._lost:
            raise SourceLost(self._lost)


@dataclass(frozen=True)
class Played:
    heard: tuple[Decision, ...]
    report: AppReport

    @property
    def told(self) -> list[tuple[str, str | float | None]]:
        return [(decision.kind, decision.value) for decision in self.heard]

    def of(self, kind: str) -> list[Decision]:
        return [decision for decision in self.heard if decision.kind == kind]


def played(source: Source, pieces: Pieces, listening: Listening | None = None, live: bool = False) -> Played:
    heard: list[Decision] = []
    report = APPLICATION.run(source, [CallbackSink(heard.append)], RunOptions(), pieces, listening)
    return Played(tuple(heard), report)

"""A source with faults put in, the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import UserError
from pintsize.stream.block import Block
from pintsize.stream.faults import FAULTS, Memory
from pintsize.stream.source import Source, Wrapping

#: an episode lasts this long, and at least so many samples
_LASTS_S, _LASTS_SAMPLES = 1.5, 40
#: from the beginning of one to the beginning of the next, on average; not below this many times what one lasts
_EVERY_S, _EVERY_LASTS = 10.0, 4
#: the first one comes after a third of an episode at the soonest, and after one at the latest
_FIRST = (1 / 3, 1.0)


class _Episodes:
    """When one fault is there, in seconds since the source's first sample."""

    def __init__(self, drawn: np.random.Generator, rate_hz: float) -> None:
        self._drawn = drawn
        self._lasts_s = max(_LASTS_S, _LASTS_SAMPLES / rate_hz)
        self._every_s = max(_EVERY_S, _EVERY_LASTS * self._lasts_s)
        self._begins_s = [float(drawn.uniform(*_FIRST)) * self._lasts_s]

    def at(self, times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of these times lie in an episode."""
        while self._begins_s[-1] <= times_s.max():
            self._begins_s.append(self._begins_s[-1] + float(self._drawn.uniform(0.5, 1.5)) * self._every_s)
        begins_s = np.array(self._begins_s)
        latest = np.searchsorted(begins_s, times_s, side="right") - 1
        return (latest >= 0) & (times_s < begins_s[np.maximum(latest, 0)] + self._lasts_s)


class Faulty(Wrapping):
    """A source's blocks with episodes of faults in them, drawn from the seed, one sequence a fault.

    faults: names from `faults.FAULTS`, see `parse_faults`. Raises UserError for another name.
    """

    def __init__(self, source: Source, faults: Sequence[str], seed: int = 0) -> None:
        super().__init__(source)
        unknown = [name for name in faults if name not in FAULTS]
        if unknown:
            raise UserError(f"{', '.join(unknown)}: no such fault; known are {', '.join(FAULTS)}")
        self._names = tuple(name for name in FAULTS if name in faults)
        self._seed = seed

    def blocks(self) -> Iterator[Block]:
        """Heartbeats pass. Raises SourceLost as the source does."""
        memories = {name: Memory(self.source.saturates_at, self._random(name, 0)) for name in self._names}
        episodes = {name: _Episodes(self._random(name, 1), self.source.rate_hz) for name in self._names}
        first_s: float | None = None
        index = 0
        for block in self.source.blocks():
            first_s = block.start_s if first_s is None else first_s
            since_s = block.start_s - first_s  # faults of time must not move the episodes
            made = [(block, since_s)] if len(block.samples) else []
            for name in self._names:
                made = [
                    (struck, since + struck.start_s - piece.start_s if name != "clock" else since)
                    for piece, since in made
                    for struck in FAULTS[name](
                        piece, episodes[name].at(_times_s(piece, since)), memories[name]
                    )
                ]
            for struck, _ in made or ([(block, since_s)] if not len(block.samples) else []):
                yield replace(struck, index=index)
                index += 1

    def _random(self, name: str, stream: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, list(FAULTS).index(name), stream])


def _times_s(block: Block, since_s: float) -> NDArray[np.float64]:
    return since_s + np.arange(len(block.samples)) / block.rate_hz

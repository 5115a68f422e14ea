"""The replay of a file: every sample, in order, in blocks. What a file holds is waited for, so nothing is dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import DataError, SourceLost
from pintsize.stream.block import Block, Samples
from pintsize.stream.sources.described import Described, Description
from pintsize.stream.sources.options import SourceOptions


@dataclass(frozen=True)
class Segment:
    """Samples first … stop-1 follow one another; gap_s are missing before them (below 0: they overlap)."""

    first: int
    stop: int
    gap_s: float = 0.0


@dataclass(frozen=True, eq=False)
class Timeline:
    """When the samples of a file were taken: times_s has one a sample."""

    times_s: NDArray[np.float64]
    segments: tuple[Segment, ...]


class Replay(Described):
    """A file's samples.

    read: gives samples first … stop-1, (n, channels) int16 or float32; fewer, where the file is cut short
    length: how many there should be
    timeline: where their times break and what they are; None: one sample after another from 0 s
    close: called once at the end
    broken: why the file ends where it should not; said once all that it has was handed over
    """

    def __init__(
        self,
        description: Description,
        read: Callable[[int, int], Samples],
        length: int,
        block_samples: int,
        timeline: Timeline | None = None,
        close: Callable[[], object] | None = None,
        broken: str | None = None,
    ) -> None:
        super().__init__(description)
        self.length = length
        self._read = read
        self._block_samples = block_samples
        self._timeline = timeline
        self._close = close
        self._broken = broken

    def blocks(self) -> Iterator[Block]:
        """Raises SourceLost at the end of what there is of a file that is cut short."""
        index = 0
        segments = self._timeline.segments if self._timeline else (Segment(0, self.length),)
        for segment in segments:
            for first in range(segment.first, segment.stop, self._block_samples):
                stop = min(first + self._block_samples, segment.stop)
                samples = self._read(first, stop)
                if len(samples):
                    gap_s = segment.gap_s if first == segment.first else 0.0
                    yield Block(samples, self._time_s(first), self.rate_hz, gap_s, index)
                    index += 1
                if len(samples) < stop - first:
                    raise cut_short(self.name, first + len(samples), self.length)
        if self._broken is not None:
            raise SourceLost(self._broken)

    def _time_s(self, sample: int) -> float:
        return float(self._timeline.times_s[sample]) if self._timeline else sample / self.rate_hz

    def close(self) -> None:
        close, self._close = self._close, None
        if close is not None:
            close()


def held(
    description: Description,
    samples: Samples,
    options: SourceOptions,
    timeline: Timeline | None = None,
    broken: str | None = None,
) -> Replay:
    """The replay of samples that are in memory, (n, channels). Raises DataError where there are none."""
    if not len(samples):
        raise DataError(f"{description.name} has no samples")
    block_samples = options.block_samples(description.rate_hz)
    return Replay(
        description,
        lambda first, stop: samples[first:stop],
        len(samples),
        block_samples,
        timeline,
        broken=broken,
    )


def cut_short(name: str, found: int, due: int) -> SourceLost:
    """The end of a file that has less than it says."""
    return SourceLost(f"{name} is cut short: it ends after {found} of {due} samples")

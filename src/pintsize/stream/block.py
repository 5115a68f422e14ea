"""A block: some samples that follow one another without a break, and when the first was taken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

#: float32 or int16 of (n, channels); pictures are uint8 of (n, height, width, 3)
Samples = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Block:
    """What a source hands over at a time.

    samples: (n, channels) float32 or int16, as the source has them; a picture is (1, height, width, 3) uint8, RGB.
      **No samples at all (n = 0) is a heartbeat**: nothing came until start_s. What was last decided is then stale.
    start_s: time of the first sample by the source's own clock, never by the computer's
    rate_hz: samples (pictures) per second
    gap_before_s: what is known to be missing right before it; above 0, whatever has state starts anew. Below 0 the
      source says that the block overlaps what came before: a time that came twice, or too late
    index: 0, 1, 2, … in the order in which the source made them
    origin: the clip within a folder that it comes from; empty elsewhere
    """

    samples: Samples
    start_s: float
    rate_hz: float
    gap_before_s: float = 0.0
    index: int = 0
    origin: str = ""

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.rate_hz

    @property
    def end_s(self) -> float:
        """When the sample after the last one is due."""
        return self.start_s + self.duration_s


def time_tolerance_s(rate_hz: float) -> float:
    """How far a block may lie from where the one before it ended and still follow it without a break.

    20 ms is what drivers and radios jitter by; slow sensors may be late by one sample and a half.
    """
    return max(0.02, 1.5 / rate_hz)


def heartbeat(channels: int, rate_hz: float, dtype: DTypeLike) -> Block:
    """A block without samples, at 0 s."""
    return Block(np.zeros((0, channels), dtype), 0.0, rate_hz)


def part(block: Block, first: int, stop: int) -> Block:
    """Samples first … stop-1 of a block, stamped with their own time; a later part has no gap before it."""
    gap_s = block.gap_before_s if first == 0 else 0.0
    start_s = block.start_s + first / block.rate_hz
    return replace(block, samples=block.samples[first:stop], start_s=start_s, gap_before_s=gap_s)


def as_real(block: Block, full_scale: float) -> NDArray[np.float32]:
    """The samples as float32 where ±1.0 is full scale. Shape as in the block."""
    return (block.samples / np.float32(full_scale)).astype(np.float32, copy=False)

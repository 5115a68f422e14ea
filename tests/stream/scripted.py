"""A source that gives the blocks it was made with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pintsize.errors import SourceLost
from pintsize.stream.block import Block
from pintsize.stream.sources.described import Described, Description, numbered

RATE_HZ = 100.0


class Scripted(Described):
    """lost: raised after the last block, as a source that was unplugged does."""

    def __init__(
        self, blocks: Sequence[Block], lost: str | None = None, lossless: bool = True, channels: int = 1
    ) -> None:
        full_scale = 32768.0
        limits = (-32768.0, 32767.0)
        super().__init__(
            Description("script", RATE_HZ, numbered(channels), full_scale, limits, lossless=lossless)
        )
        self.given, self.lost, self.closed = list(blocks), lost, False

    def blocks(self) -> Iterator[Block]:
        yield from self.given
        if self.lost:
            raise SourceLost(self.lost)

    def close(self) -> None:
        self.closed = True


def wave(seconds: float, level: int = 8000, seed: int = 0) -> np.ndarray:
    """int16 (n, 1): noise of at most `level`, so that no sample stays the same for long."""
    drawn = np.random.default_rng(seed).integers(-level, level, round(seconds * RATE_HZ))
    return drawn.astype(np.int16)[:, None]


def blocks_of(samples: np.ndarray, start_s: float = 0.0, length: int = 10, origin: str = "") -> list[Block]:
    """The samples in blocks of that length, one after the other."""
    return [
        Block(samples[i : i + length], start_s + i / RATE_HZ, RATE_HZ, 0.0, i // length, origin)
        for i in range(0, len(samples), length)
    ]

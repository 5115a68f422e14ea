"""Samples cut into what a model takes at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pintsize.errors import UserError
from pintsize.stream.block import Block, Samples


@dataclass(frozen=True, eq=False)
class Frame:
    """samples: (window, …) that follow one another; start_s, end_s: of the first and after the last of them."""

    samples: Samples
    start_s: float
    end_s: float


class Framing:
    """Windows of `window` samples, a new one every `hop`; what is left waits for the next block.

    Raises UserError unless 0 < hop ≤ window.
    """

    def __init__(self, window: int, hop: int) -> None:
        if not 0 < hop <= window:
            raise UserError(f"a window of {window} samples every {hop}: 0 < hop ≤ window")
        self._window, self._hop = window, hop
        self.clear()

    def push(self, block: Block) -> Iterator[Frame]:
        """The windows that the block completes, by the newest block's clock; jitter of it sets no window back."""
        if not len(block.samples):
            return
        kept = 0 if self._left is None else len(self._left)
        samples = block.samples if self._left is None else np.concatenate([self._left, block.samples])
        first_s = block.start_s - kept / block.rate_hz
        at = 0
        while at + self._window <= len(samples):
            start_s = first_s + at / block.rate_hz
            frame = samples[at : at + self._window]
            self._end_s = max(self._end_s, start_s + self._window / block.rate_hz)
            yield Frame(frame, start_s, self._end_s)
            at += self._hop
        self._left = samples[at:]

    def clear(self) -> None:
        """What comes next does not follow what is left."""
        self._left: Samples | None = None
        self._end_s = -math.inf

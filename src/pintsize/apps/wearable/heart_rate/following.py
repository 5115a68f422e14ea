"""A signal as a source gives it, at any rate and in any unit, to rates with their times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.wearable.heart_rate.heart_rate import HeartRate
from pintsize.apps.wearable.heart_rate.rates import Rate
from pintsize.apps.wearable.heart_rate.scaling import Scaling
from pintsize.stream.block import Block
from pintsize.stream.convert import Conversion, Converter
from pintsize.stream.framing import Framing


class Timed(NamedTuple):
    """time_s: the end of the 8 s, by the source's clock"""

    time_s: float
    rate: Rate


class Following:
    """Blocks of one channel, at one rate, to a rate a second. Counts (int16) are taken as they are.

    ask: what is asked about each second; None: the heart rate's `push`, something that counts else
    """

    def __init__(
        self, heart: HeartRate, rate_hz: float, ask: Callable[[NDArray[np.int16]], Rate] | None = None
    ) -> None:  # fmt: skip
        self.heart = heart
        self._ask = ask or heart.push
        self._rate_hz = rate_hz
        self._framing = Framing(heart.kind.rate_hz, heart.kind.rate_hz)
        self.reset()

    def reset(self) -> None:
        """What comes next does not follow what was."""
        self._scaling = Scaling(self._rate_hz)
        self._anew()

    def _anew(self) -> None:
        self._converter = Converter(
            self._rate_hz, 1, 1.0, Conversion(self.heart.kind.rate_hz, "all", "int16")
        )
        self._framing.clear()
        self.heart.reset()

    def push(self, block: Block) -> Iterator[Timed]:
        """block: (n, 1) that follows the one before. Raises DataError for a rate that cannot be converted."""
        if block.samples.dtype == np.int16:
            return self._framed([replace(block, samples=(block.samples / np.float32(32768)))])
        shares, anew = self._scaling.push(block.samples[:, 0].astype(np.float64))
        if anew:
            self._anew()
        if not len(shares):
            return iter(())
        start_s = block.end_s - len(shares) / block.rate_hz
        samples = np.clip(shares, -1.0, 1.0).astype(np.float32)[:, None]
        return self._framed([Block(samples, start_s, block.rate_hz)])

    def finish(self) -> Iterator[Timed]:
        """What the filter of another rate still holds; what comes next begins anew."""
        for converted in self._converter.finish():
            for frame in self._framing.push(converted):
                yield Timed(frame.end_s, self._ask(frame.samples.reshape(-1)))

    def _framed(self, blocks: Iterable[Block]) -> Iterator[Timed]:
        for block in blocks:
            for converted in self._converter.push(block):
                for frame in self._framing.push(converted):
                    yield Timed(frame.end_s, self._ask(frame.samples.reshape(-1)))

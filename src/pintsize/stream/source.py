"""What every source of samples offers: files, microphones, brokers, and what wraps them.

A source is either *lossless* (sound, ECG, CAN: each sample counts, a loss is a gap that is told) or *newest-wins*
(a camera: an old picture is worth nothing, what was not fetched in time is dropped and counted). A file never drops.

A source that ends because it is at its end just stops. One that breaks (unplugged, cut short) first hands over all that
it has, then raises `SourceLost` with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from pintsize.stream.block import Block


@runtime_checkable
class Source(Protocol):
    """Samples with the time at which they were taken.

    name: what the user typed; stands in messages
    rate_hz: samples per second of every block
    channels: how many; 3 for pictures
    full_scale: what ±1.0 is in the samples: 32768 for int16 sound, 1 for float sound and for physical units
    saturates_at: the lowest and the highest value that it can give; None where that is not known
    lossless: False where the newest wins
    dropped_samples: how many were dropped until now (the blocks after them say so with `gap_before_s`)
    """

    @property
    def name(self) -> str: ...
    @property
    def rate_hz(self) -> float: ...
    @property
    def channels(self) -> int: ...
    @property
    def full_scale(self) -> float: ...
    @property
    def saturates_at(self) -> tuple[float, float] | None: ...
    @property
    def lossless(self) -> bool: ...
    @property
    def dropped_samples(self) -> int: ...

    def blocks(self) -> Iterator[Block]:
        """The blocks in order, once. Raises SourceLost where the source breaks, after all that came before."""
        ...

    def close(self) -> None:
        """Gives back the device or file; a second call does nothing."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Closing:
    """The context-manager half of a source."""

    def close(self) -> None:
        """Nothing is held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Wrapping(Closing):
    """A source that passes on another one's blocks, changed or not. What is not overridden is the other one's."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def rate_hz(self) -> float:
        return self.source.rate_hz

    @property
    def channels(self) -> int:
        return self.source.channels

    @property
    def full_scale(self) -> float:
        return self.source.full_scale

    @property
    def saturates_at(self) -> tuple[float, float] | None:
        return self.source.saturates_at

    @property
    def lossless(self) -> bool:
        return self.source.lossless

    @property
    def dropped_samples(self) -> int:
        return self.source.dropped_samples

    def blocks(self) -> Iterator[Block]:
        return self.source.blocks()

    def close(self) -> None:
        self.source.close()

"""What a source says about itself, and channels found by the names in it."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pintsize.errors import DataError
from pintsize.stream.block import Block
from pintsize.stream.source import Closing
from pintsize.stream.sources.options import SourceOptions


@dataclass(frozen=True)
class Description:
    """The properties of a `Source`.

    channel_names: one a channel; numbers where the source has no names
    picked: the channels that the options ask for were picked while reading
    """

    name: str
    rate_hz: float
    channel_names: tuple[str, ...]
    full_scale: float = 1.0
    saturates_at: tuple[float, float] | None = None
    lossless: bool = True
    picked: bool = False


class Described(Closing, ABC):
    """The properties of a source, from its description."""

    def __init__(self, description: Description) -> None:
        self.description = description

    @property
    def name(self) -> str:
        return self.description.name

    @property
    def rate_hz(self) -> float:
        return self.description.rate_hz

    @property
    def channels(self) -> int:
        return len(self.description.channel_names)

    @property
    def full_scale(self) -> float:
        return self.description.full_scale

    @property
    def saturates_at(self) -> tuple[float, float] | None:
        return self.description.saturates_at

    @property
    def lossless(self) -> bool:
        return self.description.lossless

    @property
    def dropped_samples(self) -> int:
        return 0

    @abstractmethod
    def blocks(self) -> Iterator[Block]:
        """As `Source.blocks`."""


def numbered(count: int) -> tuple[str, ...]:
    """Names of channels that have none."""
    return tuple(str(channel) for channel in range(count))


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names, stripped; what stands there twice gets its number."""
    stripped = [name.strip() or "?" for name in names]
    twice = {name for name, count in Counter(stripped).items() if count > 1}
    seen: Counter[str] = Counter()
    made: list[str] = []
    for name in stripped:
        seen[name] += 1
        made.append(f"{name}#{seen[name]}" if name in twice else name)
    return tuple(made)


def common_limits(limits: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """The lowest and highest value where it is the same for all channels; else None."""
    return limits[0] if len(set(limits)) == 1 else None


def picked(options: SourceOptions, names: Sequence[str], where: str) -> tuple[int, ...] | None:
    """Indices of the channels that are asked for; None where all are. Names are compared without case.

    Raises DataError for a name or an index that is not there; it lists those that are.
    """
    if isinstance(options.channels, str):
        return None
    folded = [name.casefold() for name in names]
    found: list[int] = []
    for channel in options.channels:
        if isinstance(channel, int) and 0 <= channel < len(names):
            found.append(channel)
        elif isinstance(channel, str) and channel.casefold() in folded:
            found.append(folded.index(channel.casefold()))
        else:
            raise DataError(f"{where} has no channel {channel!r}; it has {listed(names)}")
    return tuple(found)


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names for a message; a few where there are many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def shown(path: Path) -> str:
    """A path as it may be printed: bytes that are no text in this encoding and control characters as ?."""
    text = str(path).encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\x00-\x1f\x7f]", "?", text)


def own_rate_hz(found_hz: float | None, options: SourceOptions, where: str) -> float:
    """The source's rate, from itself or from what the user says.

    Raises DataError where neither says it, where both do and differ, and for a rate that is none.
    """
    if found_hz is None:
        if options.source_rate_hz is None:
            raise DataError(f"{where} does not say its rate; give source_rate_hz, its samples per second")
        return options.source_rate_hz
    if not (found_hz > 0 and math.isfinite(found_hz)):
        raise DataError(f"{where} says a rate of {found_hz:g} Hz: a rate is above 0")
    if options.source_rate_hz is not None and abs(options.source_rate_hz / found_hz - 1) > 0.005:
        raise DataError(f"{where} is at {found_hz:g} Hz, not at {options.source_rate_hz:g} Hz as was said")
    return found_hz

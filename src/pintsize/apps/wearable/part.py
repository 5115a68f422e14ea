"""One kind of signal of a source: its own health, its own memory. What breaks one kind does not break the others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from pintsize.stream.block import Block
from pintsize.stream.decision import Decision
from pintsize.stream.health import BREAKS, Health, HealthLimits, Monitor
from pintsize.stream.source import Source


class Part(ABC):
    """What was decided comes back from `see`, in order.

    name: for a person ("heart rate"); channels: of the source's
    resets: how often it began anew; without_value: blocks that were not fit for a decision
    """

    def __init__(self, name: str, source: Source, channels: Sequence[int], limits: HealthLimits) -> None:
        self.name = name
        self.faults: Counter[str] = Counter()
        self.resets = self.without_value = 0
        self._channels = list(channels)
        self._monitor = Monitor(source.rate_hz, source.full_scale, source.saturates_at, limits)
        self._told: tuple[str, ...] = ()
        self._origin: str | None = None

    def see(self, block: Block) -> list[Decision]:
        """The next block of the source, with or without samples."""
        own = self._own(block)
        health = self._monitor.see(own)
        self.faults.update(health.faults)
        told = self._announce(health)
        other = bool(len(own.samples)) and self._origin not in (None, own.origin)
        if other or health.reset:
            self.resets += 1
            told += self.broke(
                "another recording begins" if other else health.reason or "samples are missing"
            )
        self._origin = own.origin if len(own.samples) else self._origin
        if health.ok or BREAKS.issuperset(health.faults):
            return told + self.take(own)
        self.without_value += 1
        return told + self.lack(own, health.reason or "no valid signal")

    def _own(self, block: Block) -> Block:
        """Its channels of a block."""
        return replace(block, samples=block.samples[:, self._channels])

    def _announce(self, health: Health) -> list[Decision]:
        """Says once what is wrong, and once that nothing is any more."""
        if health.faults == self._told:
            return []
        self._told = health.faults
        if health.ok:
            return [Decision(health.at_s, "health", f"{self.name} ok")]
        return [Decision(health.at_s, "health", None, reason=f"{self.name}: {health.reason}")]

    @abstractmethod
    def take(self, block: Block) -> list[Decision]:
        """Samples that are fit for a decision."""

    @abstractmethod
    def lack(self, block: Block, reason: str) -> list[Decision]:
        """None that are, at the block's time."""

    @abstractmethod
    def broke(self, reason: str) -> list[Decision]:
        """What comes next does not follow what was."""

    @abstractmethod
    def finish(self) -> list[Decision]:
        """The end of the source."""

"""What a run found out about a day, kept for its page and its summary."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pintsize.apps.wearable.zones import Zones

#: spans of one activity this near follow one another
_NEAR_S = 0.1


@dataclass(frozen=True)
class Span:
    """label: None where it is not known, and then `reason` says why"""

    start_s: float
    end_s: float
    label: str | None
    reason: str | None = None


@dataclass(frozen=True)
class Beat:
    """A rate that was measured; at_rest: None where that is not known."""

    time_s: float
    bpm: float
    at_rest: bool | None


@dataclass
class Day:
    """Times are the source's; `times` says of what: since 1970, or since the beginning of the recording.

    period_s: from one rate to the next, as they come; spans are in the order in which they ended
    without: why there was no rate → how often it was so
    """

    source: str
    zones: Zones = field(default_factory=Zones)
    period_s: float = 1.0
    first_s: float | None = None
    last_s: float = 0.0
    rates: list[Beat] = field(default_factory=list)
    activities: list[Span] = field(default_factory=list)
    alerts: list[Span] = field(default_factory=list)
    breaks: list[Span] = field(default_factory=list)
    sleep: list[Span] = field(default_factory=list)
    without: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def reach(self, start_s: float, end_s: float) -> None:
        """There was signal in between."""
        self.first_s = start_s if self.first_s is None else min(self.first_s, start_s)
        self.last_s = max(self.last_s, end_s)

    def act(self, start_s: float, end_s: float, label: str | None, reason: str | None) -> None:
        """An activity, joined to the one before where it goes on without a hole."""
        before = self.activities[-1] if self.activities else None
        if before is not None and before.label == label and abs(start_s - before.end_s) < _NEAR_S:
            self.activities[-1] = Span(before.start_s, end_s, label, before.reason)
        else:
            self.activities.append(Span(start_s, end_s, label, reason))

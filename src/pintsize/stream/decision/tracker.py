"""A number that is followed over time, and gone when it is no longer measured."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from pintsize.errors import UserError
from pintsize.stream.decision.decision import Decision
from pintsize.stream.decision.stage import AT_THE_END, SourceTime, passed, require_positive


@dataclass(frozen=True)
class Tracking:
    """window_s: how far back the median reaches; timeout_s: without a measurement for this long there is no value.

    low, high: a measurement outside is none
    """

    window_s: float
    timeout_s: float
    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        require_positive("tracking", window_s=self.window_s, timeout_s=self.timeout_s)
        if not self.low < self.high:
            raise UserError(f"tracking: low is {self.low}, high is {self.high}: low must be below high")


class MedianTracker:
    """Says "measured" with the median of the last measurements; "lost" once when they stop coming."""

    def __init__(self, rule: Tracking, name: str = "value") -> None:
        self.rule, self.name = rule, name
        self._time = SourceTime()
        self._kept: deque[tuple[float, float]] = deque()

    @property
    def idle(self) -> bool:
        return not self._kept

    @property
    def timeout_s(self) -> float:
        return self.rule.timeout_s

    def update(self, time_s: float, value: float | None) -> Decision | None:
        """value: a measurement, None or NaN where there is none."""
        back = self._time.advance(time_s)
        if back:
            return self.reset(back)
        if value is None or not self.rule.low <= value <= self.rule.high or not math.isfinite(value):
            return self._without(time_s)
        if self._kept and passed(self.rule.timeout_s, self._kept[-1][0], time_s):
            self._kept.clear()
        self._kept.append((time_s, float(value)))
        while passed(self.rule.window_s, self._kept[0][0], time_s):
            self._kept.popleft()
        ordered = sorted(kept for _, kept in self._kept)
        return Decision(time_s, "measured", ordered[len(ordered) // 2], start_s=self._kept[0][0])

    def reset(self, reason: str) -> Decision | None:
        had = bool(self._kept)
        self._kept.clear()
        return Decision(self._time.told_s, "lost", None, reason=f"{self.name}: {reason}") if had else None

    def finish(self, time_s: float) -> Decision | None:
        return self.reset(AT_THE_END)

    def _without(self, time_s: float) -> Decision | None:
        if not self._kept or not passed(self.rule.timeout_s, self._kept[-1][0], time_s):
            return None
        return self.reset(f"no measurement for {self.rule.timeout_s:g} s")

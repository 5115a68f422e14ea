"""Where a phrase begins and ends, with a hard limit on its length."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pintsize.errors import UserError
from pintsize.stream.decision.decision import Decision
from pintsize.stream.decision.stage import (
    AT_THE_END,
    SourceTime,
    passed,
    require_not_negative,
    require_positive,
)


@dataclass(frozen=True)
class Endpointing:
    """on, off: speech scores, on ≥ off: a phrase begins at `on`, and goes on while above `off`.

    silence_s: this long below `off` ends it; least_s: a shorter one was no phrase; longest_s: the hard timeout.
    """

    on: float
    off: float
    silence_s: float = 0.6
    least_s: float = 0.0
    longest_s: float = 10.0

    def __post_init__(self) -> None:
        require_positive("endpointing", silence_s=self.silence_s, longest_s=self.longest_s)
        require_not_negative("endpointing", least_s=self.least_s)
        if not self.off <= self.on:
            raise UserError(f"endpointing: on is {self.on}, off is {self.off}: off must not be above on")


class Endpointer:
    """Says "began" of a phrase, then "ended", or "discarded" when it was too short.

    A phrase that the hard timeout ends is told as such: whoever takes it must not act on half of it unknowingly.
    """

    def __init__(self, rule: Endpointing, label: str = "speech") -> None:
        self.rule, self.label = rule, label
        self._time = SourceTime()
        self._start_s: float | None = None
        self._heard_s = 0.0

    @property
    def idle(self) -> bool:
        return self._start_s is None

    @property
    def timeout_s(self) -> float:
        return self.rule.longest_s

    def update(self, time_s: float, value: float | None) -> Decision | None:
        """value: how much it sounds like speech; None or NaN where there is no signal: an open phrase is lost."""
        back = self._time.advance(time_s)
        if back:
            return self.reset(back)
        if value is None or not math.isfinite(value):
            return self.reset("no signal")
        if self._start_s is None:
            return self._begin(time_s) if value >= self.rule.on else None
        if value >= self.rule.off:
            self._heard_s = time_s
        return self._end(time_s, self._start_s)

    def reset(self, reason: str) -> Decision | None:
        start_s, self._start_s = self._start_s, None
        if start_s is None:
            return None
        return Decision(self._time.told_s, "lost", None, reason=f"{self.label}: {reason}", start_s=start_s)

    def finish(self, time_s: float) -> Decision | None:
        self._time.advance(time_s)
        return None if self._start_s is None else self._close(time_s, self._start_s, AT_THE_END)

    def _begin(self, time_s: float) -> Decision:
        self._start_s = self._heard_s = time_s
        return Decision(time_s, "began", self.label, start_s=time_s)

    def _end(self, time_s: float, start_s: float) -> Decision | None:
        if passed(self.rule.longest_s, start_s, time_s):
            self._start_s = None
            reason = f"timeout: {self.rule.longest_s:g} s, the longest phrase allowed"
            return Decision(time_s, "ended", self.label, reason=reason, start_s=start_s)
        return self._close(time_s, start_s) if passed(self.rule.silence_s, self._heard_s, time_s) else None

    def _close(self, time_s: float, start_s: float, why: str | None = None) -> Decision:
        self._start_s = None
        lasted_s = self._heard_s - start_s
        if not passed(self.rule.least_s, start_s, self._heard_s):
            reason = f"{self.label} of {lasted_s:.3f} s: at least {self.rule.least_s:g} s make a phrase"
            return Decision(time_s, "discarded", None, reason=reason, start_s=start_s)
        return Decision(time_s, "ended", self.label, reason=why, start_s=start_s)

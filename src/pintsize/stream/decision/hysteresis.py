"""On above one threshold, off below a lower one, and never on for longer than is allowed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pintsize.errors import UserError
from pintsize.stream.decision.decision import Decision
from pintsize.stream.decision.stage import (
    AT_THE_END,
    SourceTime,
    passed,
    require_not_negative,
    require_positive,
)

#: idle → rising (above `on`, not yet for `hold_s`) → active → spent (timed out, not yet below `off`) → idle
State = Literal["idle", "rising", "active", "spent"]


@dataclass(frozen=True)
class Levels:
    """on, off: thresholds, on ≥ off; hold_s: how long above `on` before it counts; timeout_s: the longest active time.

    After a timeout the score must fall below `off`, or a second timeout pass, before it can be active again.
    """

    on: float
    off: float
    timeout_s: float
    hold_s: float = 0.0

    def __post_init__(self) -> None:
        require_positive("hysteresis", timeout_s=self.timeout_s)
        require_not_negative("hysteresis", hold_s=self.hold_s)
        if not (math.isfinite(self.on) and math.isfinite(self.off) and self.off <= self.on):
            raise UserError(f"hysteresis: on is {self.on}, off is {self.off}: numbers with off ≤ on")


class Hysteresis:
    """Says "began" and "ended" of one label, from one score."""

    def __init__(self, levels: Levels, label: str = "active") -> None:
        self.levels, self.label = levels, label
        self.state: State = "idle"
        self._time = SourceTime()
        self._since_s = 0.0

    @property
    def idle(self) -> bool:
        return self.state == "idle"

    @property
    def timeout_s(self) -> float:
        """Told nothing but None or low scores, it is idle after this long."""
        return self.levels.timeout_s

    def update(self, time_s: float, value: float | None) -> Decision | None:
        """value: the score, None or NaN where there is none: then an active state is lost at once."""
        back = self._time.advance(time_s)
        if back:
            return self.reset(back)
        if value is None or not math.isfinite(value):
            return self.reset("no score")
        return self._move(time_s, value)

    def reset(self, reason: str) -> Decision | None:
        was = self.state
        self.state = "idle"
        if was != "active":
            return None
        return Decision(
            self._time.told_s, "lost", None, reason=f"{self.label}: {reason}", start_s=self._since_s
        )

    def finish(self, time_s: float) -> Decision | None:
        self._time.advance(time_s)
        was, self.state = self.state, "idle"
        if was != "active":
            return None
        return Decision(time_s, "ended", self.label, reason=AT_THE_END, start_s=self._since_s)

    def _move(self, time_s: float, score: float) -> Decision | None:
        if self.state == "spent":
            self._rearm(time_s, score)
        if self.state == "active":
            return self._stay_active(time_s, score)
        if self.state == "spent" or score < self.levels.on:
            self.state = "spent" if self.state == "spent" else "idle"
            return None
        if self.state == "idle":
            self.state, self._since_s = "rising", time_s
        if not passed(self.levels.hold_s, self._since_s, time_s):
            return None
        return self._begin(time_s, score)

    def _rearm(self, time_s: float, score: float) -> None:
        if score < self.levels.off or passed(self.levels.timeout_s, self._since_s, time_s):
            self.state = "idle"

    def _begin(self, time_s: float, score: float) -> Decision:
        start_s, self.state, self._since_s = self._since_s, "active", time_s
        return Decision(time_s, "began", self.label, confidence=_share(score), start_s=start_s)

    def _stay_active(self, time_s: float, score: float) -> Decision | None:
        start_s = self._since_s
        if passed(self.levels.timeout_s, start_s, time_s):
            self.state, self._since_s = "spent" if score >= self.levels.off else "idle", time_s
            reason = f"timeout: active for {self.levels.timeout_s:g} s, the longest allowed"
            return Decision(time_s, "ended", self.label, reason=reason, start_s=start_s)
        if score >= self.levels.off:
            return None
        self.state = "idle"
        return Decision(time_s, "ended", self.label, start_s=start_s)


def _share(score: float) -> float | None:
    """The score as a confidence, where it is one."""
    return score if 0.0 <= score <= 1.0 else None

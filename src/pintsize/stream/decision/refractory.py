"""After a decision, silence for a while: one event, one decision."""

from __future__ import annotations

from pintsize.stream.decision.decision import Decision
from pintsize.stream.decision.stage import AT_THE_END, SourceTime, passed, require_positive


class Refractory:
    """Lets a decision pass, and no other of its kind and value for `period_s` after it.

    period_s: by the source's clock; each: False makes every value silence all others of its kind
    suppressed: how many did not pass. Decisions without a value always pass: they are news of a loss.
    """

    def __init__(self, period_s: float, each: bool = True) -> None:
        require_positive("refractory", period_s=period_s)
        self.period_s = self.timeout_s = period_s
        self.each = each
        self.suppressed = 0
        self._time = SourceTime()
        self._told_s: dict[tuple[str, str | float | None], float] = {}

    @property
    def idle(self) -> bool:
        return not self._told_s

    def update(self, time_s: float, value: Decision | None) -> Decision | None:
        if self._time.advance(time_s):
            self._told_s.clear()
        self._told_s = {k: s for k, s in self._told_s.items() if not passed(self.period_s, s, time_s)}
        if value is None or value.value is None:
            return value
        key = (value.kind, value.value if self.each else None)
        if key in self._told_s:
            self.suppressed += 1
            return None
        self._told_s[key] = time_s
        return value

    def reset(self, reason: str) -> Decision | None:
        self._told_s.clear()
        return None

    def finish(self, time_s: float) -> Decision | None:
        return self.reset(AT_THE_END)

"""Alerts with hysteresis: a rate too high at rest, too low, and no signal for long."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pintsize.errors import UserError
from pintsize.stream.decision import Decision, Hysteresis, Levels

HIGH, LOW, SILENT = "high rate at rest", "low rate", "no signal"
#: an alert that lasts is told again after this
_AGAIN_S = 12 * 3600.0


@dataclass(frozen=True)
class AlertRule:
    """high_bpm, low_bpm: from when on, held for hold_s; back_bpm: so far back before it is over

    silent_s: without a rate for so long there is "no signal". Raises UserError for limits that do not fit together.
    """

    high_bpm: float = 120.0
    low_bpm: float = 40.0
    back_bpm: float = 5.0
    hold_s: float = 60.0
    silent_s: float = 120.0

    def __post_init__(self) -> None:
        if not (25 <= self.low_bpm < self.high_bpm - 2 * self.back_bpm and self.high_bpm <= 230):
            raise UserError(
                f"alerts below {self.low_bpm:g} and above {self.high_bpm:g} beats per minute: 25 to 230, the lower one "
                f"more than {2 * self.back_bpm:g} below the higher one"
            )
        if not (self.back_bpm >= 0 and self.hold_s >= 0 and self.silent_s > 0):
            raise UserError(
                f"alerts: back_bpm {self.back_bpm}, hold_s {self.hold_s}: 0 or more; silent_s above 0"
            )


class Alerts:
    """Told rates and whether the person rests; says "alert" once when one begins and "alert over" when it ends."""

    def __init__(self, rule: AlertRule | None = None) -> None:
        self.rule = rule or AlertRule()
        high, low, back, hold_s = self.rule.high_bpm, self.rule.low_bpm, self.rule.back_bpm, self.rule.hold_s
        self._high = Hysteresis(Levels(high, high - back, _AGAIN_S, hold_s), HIGH)
        self._low = Hysteresis(Levels(-low, -low - back, _AGAIN_S, hold_s), LOW)
        self._heard_s: float | None = None
        self._silent = False

    def rate(self, time_s: float, bpm: float, at_rest: bool) -> list[Decision]:
        """A rate that was measured. In motion, or where rest is not known, a high rate is no alert."""
        told = self._heard_again(time_s)
        self._heard_s, self._silent = time_s, False
        high = self._high.update(time_s, bpm) if at_rest else self._high.reset("not at rest")
        return [*told, *_named(high, bpm), *_named(self._low.update(time_s, -bpm), bpm)]

    def _heard_again(self, time_s: float) -> list[Decision]:
        """The end of a silence; of one that is only seen now, a hole in the signal, the beginning too."""
        over = Decision(time_s, "alert over", SILENT, start_s=self._heard_s)
        if self._silent:
            return [over]
        since_s = time_s if self._heard_s is None else self._heard_s
        if time_s - since_s < self.rule.silent_s:
            return []
        reason = f"nothing came for {time_s - since_s:.0f} s"
        return [Decision(time_s, "alert", SILENT, reason=reason, start_s=since_s), over]

    def silence(self, time_s: float, reason: str) -> list[Decision]:
        """No rate at this time: what was alerted is not known any more."""
        lost = [*_named(self._high.reset(reason)), *_named(self._low.reset(reason))]
        if self._heard_s is None or time_s < self._heard_s:
            self._heard_s = time_s
        if self._silent or time_s - self._heard_s < self.rule.silent_s:
            return lost
        self._silent = True
        return [*lost, Decision(time_s, "alert", SILENT, reason=reason, start_s=self._heard_s)]

    def finish(self, time_s: float) -> list[Decision]:
        """The end of the signal ends every alert."""
        told = [*_named(self._high.finish(time_s)), *_named(self._low.finish(time_s))]
        over = [Decision(time_s, "alert over", SILENT, reason="the signal ended")] if self._silent else []
        self._silent, self._heard_s = False, None
        return [*told, *over]


def _named(found: Decision | None, bpm: float | None = None) -> list[Decision]:
    """As an alert; the rate that it began with is its reason."""
    if found is None:
        return []
    if found.kind == "began":
        return [
            replace(
                found, kind="alert", confidence=None, reason=None if bpm is None else f"{bpm:.0f} a minute"
            )
        ]
    label = found.value if found.value is not None else str(found.reason).partition(":")[0]
    return [replace(found, kind="alert over", value=label)]

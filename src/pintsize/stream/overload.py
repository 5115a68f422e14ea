"""What happens when decisions take longer than the signal: a stated rule, never a growing delay."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pintsize.errors import UserError
from pintsize.stream.decision import Decision

#: newest: old pictures are dropped; stride: every n-th step is computed; break: all that is late is left out
Rule = Literal["newest", "stride", "break"]


@dataclass(frozen=True)
class Overload:
    """limit_s: being this far behind is borne; most_stride: at most every n-th step is still computed."""

    limit_s: float = 0.5
    most_stride: int = 8

    def __post_init__(self) -> None:
        if not (self.limit_s > 0 and self.most_stride >= 1):
            raise UserError(
                f"overload: {self.limit_s} s behind, stride {self.most_stride}: above 0, and 1 or more"
            )


def rule_for(lossless: bool, stateful: bool) -> Rule:
    """Newest-wins sources drop; a model without state can leave out steps; one with state can only start anew."""
    if not lossless:
        return "newest"
    return "break" if stateful else "stride"


def in_words(rule: Rule, overload: Overload) -> str:
    limit = f"{overload.limit_s:g} s"
    if rule == "newest":
        return "what was not fetched in time is dropped: the newest picture wins"
    if rule == "break":
        return f"more than {limit} behind: all that is late is left out, and the model starts anew"
    return (
        f"for each {limit} behind the stride doubles: one step in 2, 4, … is computed, "
        f"in {overload.most_stride} at most"
    )


@dataclass(frozen=True)
class Admission:
    """computed: whether the step is; restart: state begins anew before it, for steps before it were left out."""

    computed: bool
    notice: Decision | None = None
    restart: bool = False


class Pace:
    """Which steps are computed, from how far behind each one is.

    behind_s: given a window's end, how much newer the signal is by now, in seconds of the source's clock.
    """

    def __init__(self, rule: Rule, overload: Overload, behind_s: Callable[[float], float]) -> None:
        self.behind_s = behind_s
        self._rule, self._overload = rule, overload
        self._stride = 1
        self._left_out = 0
        self._catching_up = False

    def admit(self, end_s: float) -> Admission:
        """Of the next window, which ends at end_s."""
        behind_s = self.behind_s(end_s)
        if self._rule == "newest":
            return Admission(behind_s <= 0)
        return self._break(end_s, behind_s) if self._rule == "break" else self._strided(end_s, behind_s)

    def restart(self) -> None:
        """The signal begins anew; nothing is late any more."""
        self._stride, self._left_out, self._catching_up = 1, 0, False

    def _break(self, end_s: float, behind_s: float) -> Admission:
        was = self._catching_up
        self._catching_up = behind_s > (0.0 if was else self._overload.limit_s)
        if was == self._catching_up:
            return Admission(not was)
        if was:
            notice = Decision(end_s, "overload", 1.0, reason="caught up: every step is computed")
            return Admission(True, notice, restart=True)
        reason = f"{behind_s:.3f} s behind: all that is late is left out"
        return Admission(False, Decision(end_s, "overload", None, reason=reason))

    def _strided(self, end_s: float, behind_s: float) -> Admission:
        was, self._stride = self._stride, self._next_stride(behind_s)
        notice = None if was == self._stride else _stride_notice(end_s, behind_s, self._stride)
        self._left_out += 1
        if self._left_out < self._stride:
            return Admission(False, notice)
        self._left_out = 0
        return Admission(True, notice)

    def _next_stride(self, behind_s: float) -> int:
        """Falls only when it is behind by less than half of what raised it, so that it does not flutter."""
        most, limit_s = self._overload.most_stride, self._overload.limit_s
        up = min(most, 2 ** min(int(behind_s / limit_s), 30))
        down = min(most, 2 ** min(int(2 * behind_s / limit_s), 30))
        return max(up, min(down, self._stride))


def _stride_notice(end_s: float, behind_s: float, stride: int) -> Decision:
    every = "every step" if stride == 1 else f"one step in {stride}"
    return Decision(end_s, "overload", float(stride), reason=f"{behind_s:.3f} s behind: {every} is computed")


class ModelledLoad:
    """How far behind a device would be that needs `step_s` for each step: on the source's clock, so always the same."""

    def __init__(self, step_s: float) -> None:
        if not step_s > 0:
            raise UserError(f"a step of {step_s} s: more than 0")
        self.step_s = step_s
        self._free_s = -math.inf

    def behind_s(self, end_s: float) -> float:
        """How long after a window's end its step could begin."""
        return max(0.0, self._free_s - end_s)

    def computed(self, end_s: float) -> None:
        self._free_s = max(self._free_s, end_s) + self.step_s

    def restart(self) -> None:
        """The clock begins anew."""
        self._free_s = -math.inf

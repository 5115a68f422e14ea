"""What all stages of a decision have in common.

A stage is told a value and its time, or None where there is no valid value at that time, and answers at once. It keeps
no thread and reads no clock: the time of the source is the only one, so a replay decides the same on every run.
Whatever it remembers has a timeout; a clock that goes back clears it.
"""

from __future__ import annotations

import math
from typing import Protocol, TypeVar

from pintsize.errors import UserError
from pintsize.stream.decision.decision import Decision

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)


class Stage(Protocol[In, Out]):
    """update: the value at that time, or None; gives what follows from it, None when nothing does.

    reset: forgets everything, and says so where somebody was told of something that is now unknown.
    finish: the signal is at its end: decides on what was there, and forgets it.
    """

    def update(self, time_s: float, value: In | None, /) -> Out | None: ...
    def reset(self, reason: str, /) -> Decision | None: ...
    def finish(self, time_s: float, /) -> Decision | None: ...


#: why something ended that nothing else ended
AT_THE_END = "the signal ended"


class SourceTime:
    """The last time that a stage was told."""

    def __init__(self) -> None:
        self.now_s: float | None = None

    def advance(self, time_s: float) -> str | None:
        """Takes the time. Gives the reason to start anew when it is before the last one.

        Raises ValueError for a time that is no number.
        """
        if not math.isfinite(time_s):
            raise ValueError(f"a time of {time_s} s")
        before, self.now_s = self.now_s, time_s
        if before is not None and time_s < before:
            return f"the source's clock went back {before - time_s:.3f} s"
        return None

    @property
    def told_s(self) -> float:
        """The last time, 0 before the first."""
        return self.now_s or 0.0


def passed(period_s: float, since_s: float, now_s: float) -> bool:
    """Whether the period is over; to the microsecond, for times are sums of steps that no float has exactly."""
    return now_s - since_s >= period_s - 1e-6


def require_positive(what: str, **values: float) -> None:
    """Raises UserError unless each of these is a finite number above 0."""
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise UserError(f"{what}: {name} is {value}, it must be a number above 0")


def require_not_negative(what: str, **values: float) -> None:
    """Raises UserError unless each of these is a finite number, 0 or more."""
    for name, value in values.items():
        if not (math.isfinite(value) and value >= 0):
            raise UserError(f"{what}: {name} is {value}, it must be 0 or more")

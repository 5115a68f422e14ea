"""What a search says of a candidate, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pintsize.compress.candidate import Candidate
from pintsize.compress.size import Size

Status = Literal["chosen", "fits", "too large", "dropped", "not trained"]


@dataclass(frozen=True)
class Judgement:
    """Accuracy on the validation split, and the standard error of its difference to the teacher's.

    A split of a few hundred samples cannot tell a drop of half a point from one of a whole point, so a candidate holds
    the accuracy when it does with one standard error to spare. size: of the trained program, where it was measured.
    """

    accuracy: float
    standard_error: float = 0.0
    size: Size | None = None


@dataclass(frozen=True)
class Trial:
    """A candidate, its size, and its accuracy on the validation split once it was trained.

    effort: the share of the whole training that it got; standard_error: of the accuracy, against the teacher's.
    """

    candidate: Candidate
    size: Size
    status: Status
    reason: str = ""
    accuracy: float | None = None
    effort: float = 0.0
    standard_error: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """All trials, largest first, and the chosen one: None when no candidate meets the budget.

    nearest: the trial that comes closest, for the message to the user.
    """

    trials: tuple[Trial, ...]
    chosen: Trial | None
    nearest: Trial

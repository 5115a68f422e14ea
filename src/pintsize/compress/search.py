"""The search among a few candidates whose sizes are measured: for those that take little to make.

Sizes come first, from programs that are written and linked for the device; only what fits is made. Accuracy is taken
to fall with size, so the smallest candidate that holds the accuracy is found by cutting the range of sizes, two
candidates at a time, on the validation split.

The interface is `search(candidates, sizes, judge, budget) -> Outcome`; whoever finds a better order of trying keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pintsize.budget import Budget
from pintsize.compress.candidate import Candidate
from pintsize.compress.quantize import Bits
from pintsize.compress.size import Size, excess, limits_of, over_budget
from pintsize.compress.trial import Judgement, Outcome, Trial

__all__ = [
    "BITS",
    "WIDTHS",
    "Candidate",
    "Judge",
    "Judgement",
    "Outcome",
    "Size",
    "Trial",
    "candidates",
    "search",
]

WIDTHS = (1.0, 0.75, 0.5, 0.375, 0.25, 0.1875, 0.125)
BITS: tuple[Bits, ...] = (8, 4)
#: candidates judged at once
AT_ONCE = 2


Judge = Callable[[Sequence[Candidate]], Sequence[Judgement]]


def candidates(widths: Sequence[float] = WIDTHS, bits: Sequence[Bits] = BITS) -> tuple[Candidate, ...]:
    """The search space."""
    return tuple(Candidate(w, b) for w in widths for b in bits)


def search(
    space: Sequence[Candidate],
    sizes: Callable[[Sequence[Candidate]], Sequence[Size]],
    judge: Judge,
    budget: Budget,
    teacher_accuracy: float,
    on_trial: Callable[[Trial], None] | None = None,
) -> Outcome:
    """The smallest candidate within the budget, or the most accurate one when no drop is given.

    sizes: measures candidates untrained; judge: trains candidates (a few at a time, so that they can be worked on at
    once), their accuracies in the same unit as `teacher_accuracy`. Every finished trial is told to `on_trial`.
    """
    tell = on_trial or (lambda trial: None)
    trials = sorted(
        (_sized(c, s, budget) for c, s in zip(space, sizes(space), strict=True)), key=_bytes, reverse=True
    )
    for trial in trials:
        if trial.status == "too large":
            tell(trial)
    fitting = [t for t in trials if t.status != "too large"]
    if not fitting:
        nearest = min(trials, key=lambda t: excess(t.size, limits_of(budget)))
        return Outcome(tuple(trials), None, nearest)
    least = None if budget.max_drop is None else teacher_accuracy - budget.max_drop
    judged = _narrow_down(fitting, judge, least, tell)
    return _outcome(trials, judged, least)


def _sized(candidate: Candidate, size: Size, budget: Budget) -> Trial:
    over = over_budget(size, budget)
    return Trial(candidate, size, "too large" if over else "not trained", over)


def _bytes(trial: Trial) -> tuple[int, int, float]:
    return trial.size.flash_bytes, trial.size.ram_bytes, trial.candidate.width


def _narrow_down(
    fitting: Sequence[Trial],
    judge: Judge,
    least: float | None,
    tell: Callable[[Trial], None],
) -> dict[Candidate, Trial]:
    """Trains as few of the fitting trials (largest first) as needed; candidate → its trial with an accuracy."""
    judged: dict[Candidate, Trial] = {}
    if least is None:
        trials = list(fitting[:AT_ONCE])
        for trial, found in zip(trials, judge([t.candidate for t in trials]), strict=True):
            judged[trial.candidate] = _judged(trial, found, None)
            tell(judged[trial.candidate])
        return judged
    good, bad = -1, len(fitting)
    while bad - good > 1:
        indices = _cuts(good, bad)
        judgements = judge([fitting[i].candidate for i in indices])
        for index, found in zip(indices, judgements, strict=True):
            trial = _judged(fitting[index], found, least)
            judged[trial.candidate] = trial
            tell(trial)
            if trial.status == "fits":
                good = max(good, index)
        bad = min([bad, *(i for i in indices if i > good)])
    return judged


def _cuts(good: int, bad: int) -> list[int]:
    """Up to two indices strictly between, that cut the range into equal parts."""
    inside = bad - good - 1
    parts = min(AT_ONCE, inside) + 1
    return sorted({good + max(1, round((inside + 1) * p / parts)) for p in range(1, parts)})


def _judged(trial: Trial, found: Judgement, least: float | None) -> Trial:
    if least is None or found.accuracy - found.standard_error >= least:
        return replace(trial, accuracy=found.accuracy, status="fits")
    noise = f" ± {found.standard_error:.2%}" if found.accuracy >= least else ""
    reason = f"accuracy {found.accuracy:.2%}{noise}, at least {least:.2%} wanted"
    return replace(trial, accuracy=found.accuracy, status="dropped", reason=reason)


def _outcome(trials: Sequence[Trial], judged: dict[Candidate, Trial], least: float | None) -> Outcome:
    merged = [judged.get(t.candidate, t) for t in trials]
    good = [t for t in judged.values() if t.status == "fits"]
    closest = max(judged.values(), key=lambda t: t.accuracy or 0.0)
    if not good and (least is None or (closest.accuracy or 0.0) < least):
        return Outcome(tuple(merged), None, closest)
    best = min(good, key=_bytes) if good and least is not None else closest
    chosen = replace(best, status="chosen")
    merged = [chosen if t.candidate == chosen.candidate else t for t in merged]
    return Outcome(tuple(merged), chosen, chosen)

"""The search for the smallest model that meets the budget.

Its space: a few widths times a few bit widths, and networks whose channels and bits were chosen together (allocate.py)
for a row of sizes. Sizes come first, from programs that are written and linked for the
device; only what fits is trained. Accuracy is taken to fall with size, so the smallest candidate that holds the
accuracy is found by cutting the range of sizes, two candidates at a time, on the validation split.

The interface is `search(candidates, sizes, judge, budget) -> Outcome`; whoever finds a better order of trying keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pintsize.budget import Budget
from pintsize.compress.quantize import Bits

Status = Literal["chosen", "fits", "too large", "dropped", "not trained"]

WIDTHS = (1.0, 0.75, 0.5, 0.375, 0.25, 0.1875, 0.125)
BITS: tuple[Bits, ...] = (8, 4)
#: candidates judged at once
AT_ONCE = 2


@dataclass(frozen=True)
class Candidate:
    """A point of the search space: the fraction of channels that stays, and the bits of the weights.

    layer_widths, layer_bits: (layer, its own fraction or bits); width and bits are then those of the whole, roughly.
    title: what to call it; else its width and bits.
    """

    width: float
    bits: Bits
    layer_widths: tuple[tuple[str, float], ...] = ()
    layer_bits: tuple[tuple[str, Bits], ...] = ()
    title: str = ""

    @property
    def name(self) -> str:
        return self.title or f"width {self.width:g}, {self.bits} bit"


@dataclass(frozen=True)
class Size:
    """What a candidate takes on the device, before any training. None: this device cannot be measured so."""

    flash_bytes: int
    ram_bytes: int
    weight_bytes: int
    latency_ms: float | None = None
    energy_mj: float | None = None


@dataclass(frozen=True)
class Judgement:
    """Accuracy on the validation split, and the standard error of its difference to the teacher's.

    A split of a few hundred samples cannot tell a drop of half a point from one of a whole point, so a candidate holds
    the accuracy when it does with one standard error to spare.
    """

    accuracy: float
    standard_error: float = 0.0


Judge = Callable[[Sequence[Candidate]], Sequence[Judgement]]


@dataclass(frozen=True)
class Trial:
    """A candidate, its size, and its accuracy on the validation split once it was trained."""

    candidate: Candidate
    size: Size
    status: Status
    reason: str = ""
    accuracy: float | None = None


@dataclass(frozen=True)
class Outcome:
    """All trials, largest first, and the chosen one: None when no candidate meets the budget.

    nearest: the trial that comes closest, for the message to the user.
    """

    trials: tuple[Trial, ...]
    chosen: Trial | None
    nearest: Trial


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
        nearest = min(trials, key=lambda t: _excess(t.size, budget))
        return Outcome(tuple(trials), None, nearest)
    least = None if budget.max_drop is None else teacher_accuracy - budget.max_drop
    judged = _narrow_down(fitting, judge, least, tell)
    return _outcome(trials, judged, least)


def _sized(candidate: Candidate, size: Size, budget: Budget) -> Trial:
    over = [
        f"{name} {_amount(have)} > {_amount(limit)} {unit}"
        for name, have, limit, unit in _limits(size, budget)
        if limit is not None and have is not None and have > limit
    ]
    return Trial(candidate, size, "too large" if over else "not trained", "; ".join(over))


def _amount(value: float) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"


def _limits(size: Size, budget: Budget) -> tuple[tuple[str, float | None, float | None, str], ...]:
    return (
        ("flash", size.flash_bytes, budget.flash_bytes, "B"),
        ("RAM", size.ram_bytes, budget.ram_bytes, "B"),
        ("latency", size.latency_ms, budget.latency_ms, "ms"),
        ("energy", size.energy_mj, budget.energy_mj, "mJ"),
    )


def _excess(size: Size, budget: Budget) -> float:
    """How far over the budget: the largest ratio."""
    return max(have / limit for _, have, limit, _ in _limits(size, budget) if limit and have is not None)


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

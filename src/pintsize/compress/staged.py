"""The search for the smallest model that meets the budget, coarse to fine.

It begins with a shortlist whose sizes and losses are predicted (shortlist.py). Training is what takes time, so it is
spent where it decides. With an accuracy to hold: short training cuts the range of sizes, two candidates at a time, for
accuracy falls with size; then whole training begins at the smallest that held and goes on to ever smaller ones as long
as they hold. Without: short training for several, whole training for the better half (successive halving, Jamieson and
Talwalkar, 2016). Only what was wholly trained can be chosen, with the size of the trained program.

The interface is `coarse_to_fine(shortlist, judge, budget, …) -> Outcome`; whoever finds a better order keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pintsize.budget import Budget
from pintsize.compress.candidate import Candidate
from pintsize.compress.shortlist import Sketched
from pintsize.compress.size import excess, limits_of, over_budget
from pintsize.compress.trial import Judgement, Outcome, Trial

#: candidates judged at once
AT_ONCE = 2
#: how much of the training a short one is
SHORT = 0.25
#: what the rest of the training wins at least, so that a short one may miss the accuracy by so much
STILL_TO_COME = 0.01
#: candidates of the first round when there is no accuracy to hold
STARTERS = 4


#: (candidates, share of the whole training) → how good they are then
Judge = Callable[[Sequence[Candidate], float], Sequence[Judgement]]
#: told of every trial
Tell = Callable[[Trial], None]


def coarse_to_fine(
    shortlist: Sequence[Sketched],
    judge: Judge,
    budget: Budget,
    teacher_accuracy: float,
    on_trial: Tell | None = None,
) -> Outcome:
    """The smallest candidate within the budget, or the most accurate one when no drop is given.

    judge: trains candidates (a few at a time, so that they can be worked on at once), their accuracies in the same
    unit as `teacher_accuracy`. Every finished trial is told to `on_trial`.
    """
    book = _Book(shortlist, judge, budget, on_trial or (lambda trial: None))
    if not book.fitting:
        return book.outcome(None)
    if budget.max_drop is None:
        _halve(book)
        return book.outcome(book.best())
    least = teacher_accuracy - budget.max_drop
    _narrow_down(book, least)
    return book.outcome(book.smallest(least))


class _Book:
    """What is known of each candidate so far, largest first; index: a place among those that fit."""

    def __init__(self, shortlist: Sequence[Sketched], judge: Judge, budget: Budget, tell: Tell) -> None:
        self.judge, self.budget, self.tell = judge, budget, tell
        self.trials = {row.candidate: _untrained(row, budget) for row in shortlist}
        for trial in self.trials.values():
            if trial.status == "too large":
                tell(trial)
        self.fitting = [row for row in shortlist if self.trials[row.candidate].status != "too large"]

    def train(self, indices: Sequence[int], effort: float, least: float | None) -> list[Trial]:
        """Trains what is not yet trained so long."""
        rows = [self.fitting[i] for i in indices]
        fresh = [r.candidate for r in rows if self.trials[r.candidate].effort < effort]
        for candidate, found in zip(fresh, self.judge(fresh, effort) if fresh else (), strict=True):
            self.trials[candidate] = self._judged(self.trials[candidate], found, effort, least)
            self.tell(self.trials[candidate])
        return [self.trials[r.candidate] for r in rows]

    def _judged(self, trial: Trial, found: Judgement, effort: float, least: float | None) -> Trial:
        size = found.size or trial.size
        known = replace(trial, accuracy=found.accuracy, size=size, effort=effort)
        over = over_budget(size, self.budget)
        if over:
            return replace(known, status="too large", reason=over)
        to_come = min(STILL_TO_COME, self.budget.max_drop or 0.0)
        spare = found.standard_error if effort >= 1 else -to_come
        if least is None or found.accuracy - spare >= least:
            return replace(known, status="fits", reason="")
        noise = f" ± {found.standard_error:.2%}" if found.accuracy >= least else ""
        short = " after a short training" if effort < 1 else ""
        reason = f"accuracy {found.accuracy:.2%}{noise}{short}, at least {least:.2%} wanted"
        return replace(known, status="dropped", reason=reason)

    def trained(self) -> list[Trial]:
        """Wholly trained, and within the budget."""
        return [t for t in self.trials.values() if t.effort >= 1 and t.status in ("fits", "dropped")]

    def smallest(self, least: float) -> Trial | None:
        """Of those that hold the accuracy; of those that hold it within the noise where there are none."""
        surely = [t for t in self.trained() if t.status == "fits"]
        perhaps = [t for t in self.trained() if (t.accuracy or 0.0) >= least]
        return min(surely, key=_bytes, default=None) or max(perhaps, key=_quality, default=None)

    def best(self) -> Trial | None:
        return max(self.trained(), key=_quality, default=None)

    def outcome(self, chosen: Trial | None) -> Outcome:
        """Every trial once, largest first."""
        if chosen is not None:
            chosen = replace(chosen, status="chosen", reason="")
            self.trials[chosen.candidate] = chosen
        trials = tuple(sorted(self.trials.values(), key=_bytes, reverse=True))
        return Outcome(trials, chosen, chosen or self._nearest(trials))

    def _nearest(self, trials: Sequence[Trial]) -> Trial:
        judged = [t for t in trials if t.accuracy is not None and t.status == "dropped"]
        if judged:
            return max(judged, key=_quality)
        return min(trials, key=lambda t: excess(t.size, limits_of(self.budget)))


def _untrained(row: Sketched, budget: Budget) -> Trial:
    over = over_budget(row.size, budget)
    return Trial(row.candidate, row.size, "too large" if over else "not trained", over)


def _bytes(trial: Trial) -> tuple[int, int, float]:
    return trial.size.flash_bytes, trial.size.ram_bytes, trial.candidate.width


def _quality(trial: Trial) -> tuple[float, float]:
    """Whole trainings before short ones, then accuracy."""
    return float(trial.effort >= 1), trial.accuracy or 0.0


def _halve(book: _Book) -> None:
    """The most promising by their prices, and the best of those that are cut alike; then the better half of them."""
    by_price = sorted(range(len(book.fitting)), key=lambda i: book.fitting[i].price)
    alike = next((i for i in by_price if not book.fitting[i].candidate.name.startswith("joint")), None)
    first = by_price if alike is None else [alike, *by_price]
    starters: list[int] = sorted(list(dict.fromkeys(first))[:STARTERS])
    if len(starters) > AT_ONCE:
        trials = book.train(starters, SHORT, None)
        order = sorted(zip(trials, starters, strict=True), key=lambda row: _quality(row[0]), reverse=True)
        starters = [i for _, i in order[:AT_ONCE]]
    book.train(starters, 1.0, None)


def _narrow_down(book: _Book, least: float) -> None:
    """Finds the boundary with short trainings, then walks across it with whole ones."""
    good, bad = -1, len(book.fitting)
    while bad - good > 1:
        indices = cuts(good, bad)
        holding = [
            i for i, t in zip(indices, book.train(indices, SHORT, least), strict=True) if t.status == "fits"
        ]
        good = max([good, *holding])
        bad = min([bad, *(i for i in indices if i > good)])
    _walk(book, max(good, 0), least)


def _walk(book: _Book, start: int, least: float) -> None:
    """Whole trainings from `start` to smaller ones while they hold; to larger ones while none does."""
    place, step, held = start, 1, False
    while 0 <= place < len(book.fitting):
        ahead = range(place, place + step * AT_ONCE, step)
        indices = [i for i in ahead if 0 <= i < len(book.fitting)]
        fits = [t.status == "fits" for t in book.train(indices, 1.0, least)]
        held = held or any(fits)
        if step > 0 and not any(fits):
            if held:
                return
            place, step = start - 1, -1
        elif (step < 0 and held) or (step > 0 and not fits[-1]):
            return
        else:
            place += step * len(indices)


def cuts(good: int, bad: int) -> list[int]:
    """Up to two indices strictly between, that cut the range into equal parts."""
    inside = bad - good - 1
    parts = min(AT_ONCE, inside) + 1
    return sorted({good + max(1, round((inside + 1) * p / parts)) for p in range(1, parts)})

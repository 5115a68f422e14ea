"""The whole trade-off: models from tiny to best, each trained, written and proven like a single one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pintsize.budget import Budget
from pintsize.compress.shortlist import Sketched
from pintsize.compress.size import over_budget
from pintsize.compress.staged import SHORT, cuts
from pintsize.compress.trial import Judgement, Outcome, Trial
from pintsize.workshop import Workshop

#: losses of accuracy whose smallest networks are looked for more closely
DROPS = (0.005, 0.01)
#: times that the gap around the edge is cut
ROUNDS = 2


def trade_off(workshop: Workshop, shortlist: Sequence[Sketched], count: int, budget: Budget) -> Outcome:
    """Trains about `count` candidates of all sizes, and more where the accuracy begins to fall; "fits" are those than
    which no other is smaller and as accurate.

    The chosen one is the smallest that holds the accuracy, or the most accurate where none does or none is asked for.
    """
    possible = [r for r in shortlist if not over_budget(r.size, budget)]
    rows = _spread(possible, count)
    tried = _judged(workshop, rows, SHORT)
    kept = _undominated(tried, margin=True)
    whole = _judged(workshop, [r for r in rows if any(t.candidate == r.candidate for t in kept)], 1.0)
    for drop in DROPS if budget.max_drop is None else (budget.max_drop,):
        whole += _at_the_edge(workshop, possible, whole, workshop.teacher_accuracy - drop)
    fitting = [t for t in whole if not over_budget(t.size, budget)]
    best = {t.candidate: t for t in _undominated(fitting, margin=False)}
    chosen = _choice(list(best.values()), budget, workshop.teacher_accuracy)
    known = {t.candidate: t for t in (*tried, *whole)}
    trials = [best.get(c, _passed_over(t)) for c, t in known.items()]
    trials += [Trial(r.candidate, r.size, "not trained", over_budget(r.size, budget))
               for r in shortlist if r.candidate not in known]  # fmt: skip
    ordered = sorted(trials, key=lambda t: (-t.size.flash_bytes, -t.size.ram_bytes))
    if chosen is None:
        return Outcome(tuple(ordered), None, ordered[-1])
    marked = replace(chosen, status="chosen")
    return Outcome(tuple(marked if t.candidate == chosen.candidate else t for t in ordered), marked, marked)


def _at_the_edge(
    workshop: Workshop, rows: Sequence[Sketched], whole: Sequence[Trial], least: float
) -> list[Trial]:
    """Whole trainings between the smallest that holds an accuracy and the next smaller one, which does not."""
    known = {t.candidate: t for t in whole}
    found: list[Trial] = []
    for _ in range(ROUNDS):
        places = [i for i, r in enumerate(rows) if r.candidate in known]
        good = max((i for i in places if (known[rows[i].candidate].accuracy or 0.0) >= least), default=None)
        if good is None:
            break
        bad = min((i for i in places if i > good), default=len(rows))
        fresh = _judged(workshop, [rows[i] for i in cuts(good, bad)], 1.0)
        known |= {t.candidate: t for t in fresh}
        found += fresh
    return found


def _spread(rows: Sequence[Sketched], count: int) -> list[Sketched]:
    """Of rows in order of size, `count` evenly."""
    if len(rows) <= count:
        return list(rows)
    return [rows[round(i * (len(rows) - 1) / max(count - 1, 1))] for i in range(count)]


def _judged(workshop: Workshop, rows: Sequence[Sketched], effort: float) -> list[Trial]:
    found = workshop.judge([r.candidate for r in rows], effort)
    trials = [_trial(row, judgement, effort) for row, judgement in zip(rows, found, strict=True)]
    for trial in trials:
        workshop.watch.trial(trial)
    return trials


def _trial(row: Sketched, found: Judgement, effort: float) -> Trial:
    return Trial(
        row.candidate, found.size or row.size, "fits", "", found.accuracy, effort, found.standard_error
    )


def _undominated(trials: Sequence[Trial], margin: bool) -> list[Trial]:
    """Those than which no other is smaller and more accurate; with a margin: by more than a standard error."""

    def beats(a: Trial, b: Trial) -> bool:
        spare = a.standard_error if margin else 0.0
        smaller = a.size.flash_bytes <= b.size.flash_bytes
        ahead = (a.accuracy or 0.0) - spare - (b.accuracy or 0.0)
        return a is not b and smaller and (ahead > 0 or (ahead == 0 and a.size != b.size))

    return [t for t in trials if not any(beats(other, t) for other in trials)]


def _choice(front: Sequence[Trial], budget: Budget, teacher_accuracy: float) -> Trial | None:
    if budget.max_drop is not None:
        least = teacher_accuracy - budget.max_drop
        holding = [t for t in front if (t.accuracy or 0.0) - t.standard_error >= least]
        if holding:
            return min(holding, key=lambda t: t.size.flash_bytes)
    return max(front, key=lambda t: t.accuracy or 0.0, default=None)


def _passed_over(trial: Trial) -> Trial:
    return replace(trial, status="dropped", reason="another is smaller and as accurate")

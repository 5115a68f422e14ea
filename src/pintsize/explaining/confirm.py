"""Which suspects are causes: each is put right, and the answers are measured before and after.

One at a time, the one that gains most first, on top of those found before: so a large fault does not hide a small
one, and two names for the same fault do not count twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

from pintsize.errors import SpecError
from pintsize.explaining.judge import Judge, Score, gain, is_measurable
from pintsize.explaining.mixture import Mixture
from pintsize.explaining.suspect import Restoration, Suspect

#: as good as the best: then the more particular name is the better one (suspects come in that order)
NEARLY = 0.8
MOST_CAUSES = 8
#: after the first round only so many suspects are measured again
SHORTLIST = 10

#: called before each measurement
Tell = Callable[[], None]


@dataclass(frozen=True, eq=False)
class Cause:
    """A suspect whose restoration gained measurably."""

    suspect: Suspect
    before: Score
    after: Score


@dataclass(frozen=True, eq=False)
class _Trial:
    suspect: Suspect
    mixture: Mixture
    score: Score


@dataclass(frozen=True, eq=False)
class Confirmed:
    """causes: the largest first; mixture, score: the network with all of them put right; cleared: the others."""

    causes: tuple[Cause, ...]
    mixture: Mixture
    score: Score
    cleared: tuple[Suspect, ...]


def confirm(start: Mixture, score: Score, suspects: Sequence[Suspect], judge: Judge, tell: Tell) -> Confirmed:
    """Sorts suspects (the most particular first) into causes and others.

    score: of `start`.
    """
    mixture, causes, left = start, [], list(suspects)
    while left and len(causes) < MOST_CAUSES:
        trials = _tried(mixture, left, judge, tell)
        gained = [t for t in trials if is_measurable(score, t.score)]
        gained = gained or [
            t for t in _tried(mixture, _together(left), judge, tell) if is_measurable(score, t.score)
        ]
        if not gained:
            break
        best = max(gain(score, t.score) for t in gained)
        chosen = next(t for t in gained if gain(score, t.score) >= NEARLY * best)
        causes.append(Cause(chosen.suspect, score, chosen.score))
        ranked = sorted(trials, key=lambda t: -gain(score, t.score))[:SHORTLIST]
        kept = {id(t.suspect) for t in ranked}
        left = [s for s in left if id(s) in kept and not _covers(chosen.suspect, s)]
        mixture, score = chosen.mixture, chosen.score
    named = frozenset().union(*(c.suspect.restoration.touched for c in causes))
    cleared = tuple(s for s in suspects if not s.restoration.touched <= named)
    return Confirmed(tuple(causes), mixture, score, cleared)


def _tried(mixture: Mixture, suspects: Sequence[Suspect], judge: Judge, tell: Tell) -> list[_Trial]:
    trials: list[_Trial] = []
    for suspect in suspects:
        tell()
        restored = suspect.restoration(mixture)
        try:
            trials.append(_Trial(suspect, restored, judge(restored)))
        except SpecError:  # no integer arithmetic holds these grids together: nothing to measure
            continue
    return trials


def _together(suspects: Sequence[Suspect]) -> list[Suspect]:
    """Suspects of the same kind as one: each alone may be hidden by the others."""
    by_kind: dict[str, list[Suspect]] = {}
    for suspect in suspects:
        by_kind.setdefault(suspect.kind, []).append(suspect)
    return [_joined(same) for same in by_kind.values() if len(same) > 1]


def _joined(same: Sequence[Suspect]) -> Suspect:
    places = tuple(p for s in same for p in s.places)
    evidence = "; ".join(f"{s.places[0]}: {s.evidence}" for s in same[:3])
    more = f"; and {len(same) - 3} more" if len(same) > 3 else ""
    fixes = "; ".join(dict.fromkeys(s.fix for s in same))
    whole = reduce(Restoration.__add__, (s.restoration for s in same))
    return Suspect(same[0].kind, places, evidence + more, whole, fixes)


def _covers(named: Suspect, other: Suspect) -> bool:
    return named.kind == other.kind and set(other.places) <= set(named.places)

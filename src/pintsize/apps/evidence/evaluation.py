"""An application's figures with what stands behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pintsize.apps.evidence.answers import Answers
from pintsize.apps.evidence.bootstrap import Interval


@dataclass(frozen=True)
class Evaluation:
    """metrics: name → value; intervals: of some of these metrics, by the same name
    answers: of each piece that answers with a confidence; notes: what a reader must know, a sentence each
    """

    metrics: Mapping[str, float]
    intervals: Mapping[str, Interval] = field(default_factory=dict[str, Interval])
    answers: tuple[Answers, ...] = ()
    notes: tuple[str, ...] = ()


def joined(parts: Iterable[Evaluation]) -> Evaluation:
    """The evaluations of an application's pieces as one. A name that two have is the later one's."""
    all_parts = tuple(parts)
    return Evaluation(
        {name: value for part in all_parts for name, value in part.metrics.items()},
        {name: interval for part in all_parts for name, interval in part.intervals.items()},
        tuple(answers for part in all_parts for answers in part.answers),
        tuple(dict.fromkeys(note for part in all_parts for note in part.notes)),
    )

"""The search meets the budget with the smallest candidate that holds the accuracy, and trains few."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pintsize.budget import Budget
from pintsize.compress.search import Candidate, Judgement, Outcome, Size, candidates, search

SPACE = candidates()


def sizes(space: Sequence[Candidate]) -> list[Size]:
    return [
        Size(int(1000 + 40_000 * c.width**2 * c.bits / 8), int(8_000 * c.width), 1, 10 * c.width)
        for c in space
    ]


class Judge:
    """Accuracy grows with width and bits; counts how often it is asked."""

    def __init__(self, error: float = 0.0) -> None:
        self.error = error
        self.asked: list[Candidate] = []

    def __call__(self, chosen: Sequence[Candidate]) -> list[Judgement]:
        self.asked += chosen
        return [
            Judgement(0.95 - 0.2 * (1 - sizes([c])[0].flash_bytes / 41_000) ** 4, self.error) for c in chosen
        ]


def run(budget: Budget, judge: Judge | None = None) -> Outcome:
    return search(SPACE, sizes, judge or Judge(), budget, 0.95)


@pytest.mark.parametrize("drop", [0.0, 0.005, 0.01, 0.05, 0.1, 0.15])
def test_finds_the_smallest_that_holds_the_accuracy(drop: float) -> None:
    outcome = run(Budget(max_drop=drop))
    judge = Judge()
    good = [c for c in SPACE if judge([c])[0].accuracy >= 0.95 - drop]
    assert outcome.chosen is not None
    assert outcome.chosen.size.flash_bytes == min(s.flash_bytes for s in sizes(good))


def test_trains_a_fraction_of_the_candidates() -> None:
    judge = Judge()
    run(Budget(max_drop=0.01), judge)
    assert len(judge.asked) <= 6
    assert len(set(judge.asked)) == len(judge.asked)


@pytest.mark.parametrize(
    "budget", [Budget(flash="10kB"), Budget(ram="2kB"), Budget(latency="3ms"), Budget(flash="9kB", ram="3kB")]
)
def test_never_trains_or_chooses_what_does_not_fit(budget: Budget) -> None:
    judge = Judge()
    outcome = run(budget, judge)
    assert outcome.chosen is not None
    for candidate in [*judge.asked, outcome.chosen.candidate]:
        (size,) = sizes([candidate])
        assert size.flash_bytes <= (budget.flash_bytes or size.flash_bytes)
        assert size.ram_bytes <= (budget.ram_bytes or size.ram_bytes)
        assert (size.latency_ms or 0) <= (budget.latency_ms or 1e9)


def test_without_a_drop_the_most_accurate_of_the_largest_wins() -> None:
    outcome = run(Budget(flash="30kB"))
    assert outcome.chosen is not None
    fitting = [s.flash_bytes for s in sizes(SPACE) if s.flash_bytes <= 30 * 1024]
    assert outcome.chosen.size.flash_bytes == max(fitting)


def test_an_impossible_size_names_the_nearest() -> None:
    outcome = run(Budget(flash=500))
    assert outcome.chosen is None
    assert outcome.nearest.size.flash_bytes == min(s.flash_bytes for s in sizes(SPACE))
    assert "flash" in outcome.nearest.reason


def test_an_impossible_accuracy_names_the_nearest() -> None:
    outcome = search(SPACE, sizes, Judge(), Budget(max_drop=0.0), 0.99)
    assert outcome.chosen is None
    assert outcome.nearest.accuracy is not None
    assert "accuracy" in outcome.nearest.reason


def test_a_noisy_split_asks_for_a_larger_candidate() -> None:
    sure, unsure = run(Budget(max_drop=0.02)), run(Budget(max_drop=0.02), Judge(0.01))
    assert sure.chosen is not None
    assert unsure.chosen is not None
    assert unsure.chosen.size.flash_bytes > sure.chosen.size.flash_bytes
    assert unsure.chosen.accuracy - 0.01 >= 0.95 - 0.02


def test_what_holds_only_within_the_noise_is_taken_when_nothing_else_does() -> None:
    outcome = run(Budget(max_drop=0.001), Judge(0.01))
    assert outcome.chosen is not None
    assert outcome.chosen.candidate == Candidate(1.0, 8)


def test_every_candidate_is_reported_once_largest_first() -> None:
    outcome = run(Budget(max_drop=0.01))
    flash = [t.size.flash_bytes for t in outcome.trials]
    assert {t.candidate for t in outcome.trials} == set(SPACE)
    assert flash == sorted(flash, reverse=True)
    assert sum(t.status == "chosen" for t in outcome.trials) == 1

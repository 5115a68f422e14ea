"""The search spends training where it decides, and meets the budget with the smallest candidate that holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pintsize.budget import Budget
from pintsize.compress.candidate import Candidate
from pintsize.compress.outline import Allocation
from pintsize.compress.shortlist import Sketched
from pintsize.compress.size import Size
from pintsize.compress.staged import SHORT, coarse_to_fine
from pintsize.compress.trial import Judgement, Outcome

COUNT = 15


def row(number: int) -> Sketched:
    """The larger, the less is lost."""
    width = 0.8**number
    size = Size(int(1000 + 40_000 * width), int(8_000 * width), int(40_000 * width), 10 * width)
    title = f"joint {number}" if number % 3 else f"width {width:.3f}"
    return Sketched(Candidate(width, 8, title=title), Allocation({"a": number}, {}), size, float(number))


SHORTLIST = [row(i) for i in range(COUNT)]
SIZES = {r.candidate: r.size for r in SHORTLIST}


class Judge:
    """Accuracy grows with size, and with training; counts what is asked of it."""

    def __init__(self, error: float = 0.0, grown: int = 0) -> None:
        self.error, self.grown = error, grown
        self.asked: list[tuple[Candidate, float]] = []

    def accuracy(self, candidate: Candidate, effort: float) -> float:
        return 0.95 - 0.2 * (1 - candidate.width) ** 4 - (0.01 if effort < 1 else 0.0)

    def __call__(self, chosen: Sequence[Candidate], effort: float) -> list[Judgement]:
        self.asked += [(c, effort) for c in chosen]
        size = [replace(SIZES[c], flash_bytes=SIZES[c].flash_bytes + self.grown) for c in chosen]
        return [
            Judgement(self.accuracy(c, effort), self.error, s if effort >= 1 else None)
            for c, s in zip(chosen, size, strict=True)
        ]

    @property
    def spent(self) -> float:
        """Whole trainings."""
        return sum(effort for _, effort in self.asked)


def run(budget: Budget, judge: Judge | None = None, teacher: float = 0.95) -> Outcome:
    return coarse_to_fine(SHORTLIST, judge or Judge(), budget, teacher)


@pytest.mark.parametrize("drop", [0.005, 0.01, 0.03, 0.05, 0.1, 0.15])
def test_finds_the_smallest_that_holds_the_accuracy(drop: float) -> None:
    judge = Judge()
    outcome = run(Budget(max_drop=drop), judge)
    good = [c for c in SIZES if judge.accuracy(c, 1.0) >= 0.95 - drop]
    assert outcome.chosen is not None
    assert outcome.chosen.size.flash_bytes == min(SIZES[c].flash_bytes for c in good)


@pytest.mark.parametrize("drop", [0.005, 0.03, 0.1])
def test_spends_a_fraction_of_training_everything(drop: float) -> None:
    judge = Judge()
    run(Budget(max_drop=drop), judge)
    assert judge.spent <= COUNT / 2
    assert len(set(judge.asked)) == len(judge.asked)


@pytest.mark.parametrize(
    "budget", [Budget(flash="10kB"), Budget(ram="2kB"), Budget(latency="3ms"), Budget(flash="9kB", ram="3kB")]
)
def test_never_trains_or_chooses_what_does_not_fit(budget: Budget) -> None:
    judge = Judge()
    outcome = run(budget, judge)
    assert outcome.chosen is not None
    for candidate, _ in [*judge.asked, (outcome.chosen.candidate, 1.0)]:
        size = SIZES[candidate]
        assert size.flash_bytes <= (budget.flash_bytes or size.flash_bytes)
        assert size.ram_bytes <= (budget.ram_bytes or size.ram_bytes)
        assert (size.latency_ms or 0) <= (budget.latency_ms or 1e9)


def test_without_a_drop_the_better_half_is_trained_wholly() -> None:
    judge = Judge()
    outcome = run(Budget(flash="30kB"), judge)
    short, wholly = ([c for c, e in judge.asked if e == effort] for effort in (SHORT, 1.0))
    assert len(wholly) == len(short) // 2
    assert outcome.chosen is not None
    assert outcome.chosen.candidate in wholly
    assert outcome.chosen.size.flash_bytes == max(
        s.flash_bytes for s in SIZES.values() if s.flash_bytes <= 30 * 1024
    )


def test_what_grew_over_the_budget_in_training_is_not_chosen() -> None:
    largest = max(s.flash_bytes for s in SIZES.values() if s.flash_bytes <= 30 * 1024)
    outcome = run(Budget(flash=largest), Judge(grown=1))
    assert outcome.chosen is not None
    assert outcome.chosen.size.flash_bytes <= largest


def test_an_impossible_size_names_the_nearest() -> None:
    outcome = run(Budget(flash=500))
    assert outcome.chosen is None
    assert outcome.nearest.size.flash_bytes == min(s.flash_bytes for s in SIZES.values())
    assert "flash" in outcome.nearest.reason


def test_an_impossible_accuracy_names_the_most_accurate() -> None:
    outcome = run(Budget(max_drop=0.0), teacher=0.99)
    assert outcome.chosen is None
    assert outcome.nearest.candidate == SHORTLIST[0].candidate
    assert "accuracy" in outcome.nearest.reason


def test_a_noisy_split_asks_for_a_larger_candidate() -> None:
    sure, unsure = run(Budget(max_drop=0.05)), run(Budget(max_drop=0.05), Judge(0.02))
    assert sure.chosen is not None
    assert unsure.chosen is not None
    assert unsure.chosen.size.flash_bytes > sure.chosen.size.flash_bytes
    assert (unsure.chosen.accuracy or 0) - 0.02 >= 0.95 - 0.05


def test_what_holds_only_within_the_noise_is_taken_when_nothing_else_does() -> None:
    outcome = run(Budget(max_drop=0.001), Judge(0.01))
    assert outcome.chosen is not None
    assert outcome.chosen.candidate == SHORTLIST[0].candidate


def test_every_candidate_is_reported_once_largest_first() -> None:
    outcome = run(Budget(max_drop=0.01))
    flash = [t.size.flash_bytes for t in outcome.trials]
    assert {t.candidate for t in outcome.trials} == set(SIZES)
    assert flash == sorted(flash, reverse=True)
    assert sum(t.status == "chosen" for t in outcome.trials) == 1

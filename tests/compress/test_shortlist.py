"""The shortlist keeps a budget by what is measured, not by what was predicted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pintsize.budget import Budget
from pintsize.compress.outline import Allocation
from pintsize.compress.prices import Prices
from pintsize.compress.shortlist import Planner
from pintsize.compress.size import Size, over_budget
from pintsize.compress.sketch import Sketch
from tests.compress.test_allocate import RULES, priced, shares

__all__ = ["priced"]


def planner(sketch: Sketch, cost: Prices, more: float | None) -> Planner:
    """more: times that a network takes more latency and flash than is predicted; None: nothing is measured."""

    def measured(allocation: Allocation) -> Size:
        size = sketch.size(allocation, "planned")
        assert more is not None
        return replace(
            size, latency_ms=more * (size.latency_ms or 0.0), flash_bytes=round(more * size.flash_bytes)
        )

    return Planner(sketch, cost, RULES, (1.0, 0.5), (8, 4), (0.3,), None if more is None else measured)


@pytest.mark.parametrize("more", [None, 1.0, 1.06, 1.2])
@pytest.mark.parametrize(
    "wanted", [{"latency_ms": 0.4}, {"flash_bytes": 0.5}, {"flash_bytes": 0.5, "latency_ms": 0.4}]
)
def test_the_best_of_the_shortlist_keeps_the_budget_as_measured(
    priced: tuple[Sketch, Prices], wanted: dict[str, float], more: float | None
) -> None:
    sketch, cost = priced
    limits = shares(sketch, **wanted)
    latency = limits.get("latency_ms")
    budget = Budget(limits.get("flash_bytes"), None, latency and latency / 1000)
    given = planner(sketch, cost, more)
    joint = [
        row for row in given.shortlist(budget, every_size=False) if row.candidate.name.startswith("joint")
    ]
    (row,) = joint
    assert not over_budget(row.size, budget)
    assert row.size == (given.measured or (lambda a: sketch.size(a, "planned")))(row.allocation)

"""What is told of outputs in a row."""

from __future__ import annotations

import numpy as np
import pytest

from pintsize.apps.wearable.activity.smoothing import Rule, Smoothing
from pintsize.errors import UserError


def test_sums_decide_and_the_first_of_those_that_tie() -> None:
    smoothing = Smoothing(Rule(decisions=2, warm=2))
    smoothing.update(np.array([10, 0, 0]))
    found = smoothing.update(np.array([0, 30, 10]))
    assert (found.label, found.margin) == (1, 10.0)
    np.testing.assert_array_equal(found.mean, [5.0, 15.0, 5.0])
    tied = Smoothing(Rule(decisions=1, warm=1)).update(np.array([4, 7, 7]))
    assert tied.label == 1


def test_only_the_last_outputs_count() -> None:
    smoothing = Smoothing(Rule(decisions=2, warm=2))
    for _ in range(5):
        smoothing.update(np.array([100, 0]))
    smoothing.update(np.array([0, 40]))
    assert smoothing.update(np.array([0, 40])).label == 1


def test_nothing_is_told_before_it_is_warm_and_again_after_a_break() -> None:
    smoothing = Smoothing(Rule(decisions=1, warm=3))
    told = [smoothing.update(np.array([9, 0])).label for _ in range(4)]
    assert told == [None, None, 0, 0]
    smoothing.reset()
    assert smoothing.update(np.array([9, 0])).label is None


def test_what_is_close_is_not_told() -> None:
    smoothing = Smoothing(Rule(decisions=1, warm=1, least=5))
    assert smoothing.update(np.array([14, 10])).label is None
    assert smoothing.update(np.array([15, 10])).label == 0


@pytest.mark.parametrize(("decisions", "warm", "least"), [(0, 1, 0), (3, 2, 0), (1, 1, -1)])
def test_a_rule_that_makes_no_sense_is_refused(decisions: int, warm: int, least: int) -> None:
    with pytest.raises(UserError, match="needed"):
        Rule(decisions, warm, least)

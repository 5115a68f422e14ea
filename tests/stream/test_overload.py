from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pintsize.errors import UserError
from pintsize.stream.overload import ModelledLoad, Overload, Pace, in_words, rule_for


@given(st.floats(0.001, 1.0), st.sampled_from(["stride", "break", "newest"]))
def test_the_delay_never_grows_without_bound(step_s: float, rule: str) -> None:
    """Steps every 0.1 s: up to stride 8, a device that needs 0.8 s for one keeps up; a break always does."""
    load = ModelledLoad(min(step_s, 0.7))
    overload = Overload(limit_s=0.5, most_stride=8)
    pace, worst_s = Pace(rule, overload, load.behind_s), 0.0  # type: ignore[arg-type]
    for i in range(600):
        end_s = 0.1 * i
        if pace.admit(end_s).computed:
            worst_s = max(worst_s, load.behind_s(end_s))
            load.computed(end_s)
    assert worst_s <= {"stride": 4 * 0.5 + 1.0, "break": 0.5, "newest": 0.0}[rule]


def test_the_stride_follows_how_far_behind_it_is_and_does_not_flutter() -> None:
    behind_s = [0.0, 1.2, 2.1, 1.9, 1.1, 0.9, 0.4, 9.0]
    pace = Pace("stride", Overload(limit_s=1.0, most_stride=8), lambda step: behind_s[int(step)])
    notices = [pace.admit(float(step)).notice for step in range(8)]
    assert [notice.value if notice else None for notice in notices] == [
        None,
        2.0,
        4.0,
        None,
        None,
        2.0,
        1.0,
        8.0,
    ]


def test_of_each_stride_one_step_is_computed() -> None:
    pace = Pace("stride", Overload(1.0, 8), lambda end_s: 2.5)
    assert [pace.admit(0.0).computed for _ in range(8)] == [False, False, False, True] * 2


def test_the_rule_fits_the_source_and_the_model_and_is_stated() -> None:
    assert rule_for(lossless=False, stateful=False) == "newest"
    assert rule_for(lossless=True, stateful=False) == "stride"
    assert rule_for(lossless=True, stateful=True) == "break"
    assert "0.25 s" in in_words("break", Overload(limit_s=0.25))


def test_figures_that_mean_nothing_are_refused() -> None:
    for wrong in ({"limit_s": 0.0}, {"most_stride": 0}):
        with pytest.raises(UserError, match="overload"):
            Overload(**wrong)
    with pytest.raises(UserError, match="a step of"):
        ModelledLoad(0.0)

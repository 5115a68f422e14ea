"""What stands behind the figures, on answers that are few enough to count."""

from __future__ import annotations

import numpy as np
import pytest

from pintsize.apps.evidence import (
    Answers,
    Evaluation,
    bootstrap,
    evidence_page,
    expected_calibration_error,
    joined,
    reliability,
    risk_coverage,
)
from pintsize.apps.evidence.coverage import at_threshold
from pintsize.errors import DataError


def answers(confidence: list[float], right: list[bool], below: float | None = None) -> Answers:
    groups = [f"patient {at % 3}" for at in range(len(right))]
    return Answers("beats", np.array(confidence), np.array(right), groups, below)


def test_the_surest_answers_come_first() -> None:
    curve = risk_coverage(answers([0.6, 0.9, 0.8, 0.7], [False, True, True, False]))
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.risk.tolist() == [0.0, 0.0, pytest.approx(1 / 3), 0.5]
    assert curve.area == pytest.approx((0 + 0 + 1 / 3 + 1 / 2) / 4)


def test_equal_confidences_are_one_point() -> None:
    curve = risk_coverage(answers([0.9, 0.5, 0.5], [True, False, True]))
    assert curve.coverage.tolist() == [pytest.approx(1 / 3), 1.0]
    assert curve.risk.tolist() == [0.0, pytest.approx(1 / 3)]


def test_order_does_not_matter() -> None:
    drawn = np.random.default_rng(0)
    confidence, right = drawn.integers(0, 10, 200) / 10, drawn.random(200) < 0.7
    shuffled = drawn.permutation(200)
    one = risk_coverage(Answers("a", confidence, right, ["p"] * 200))
    other = risk_coverage(Answers("a", confidence[shuffled], right[shuffled], ["p"] * 200))
    assert one.area == pytest.approx(other.area)
    assert one.risk.tolist() == other.risk.tolist()


def test_where_it_abstains() -> None:
    assert at_threshold(answers([0.9, 0.8, 0.2], [True, False, False], 0.5)) == (pytest.approx(2 / 3), 0.5)
    assert at_threshold(answers([0.9, 0.8], [True, False])) is None
    assert at_threshold(answers([0.1, 0.2], [True, False], 0.5)) is None


def test_calibration_error_is_the_mean_gap() -> None:
    sure = answers([0.9] * 10, [True] * 9 + [False])
    assert expected_calibration_error(sure) == pytest.approx(0.0)
    vain = answers([1.0, 1.0], [True, False])
    assert expected_calibration_error(vain) == pytest.approx(0.5)
    assert [each.count for each in reliability(vain)] == [2]


def test_an_interval_is_of_whole_groups() -> None:
    right = np.array([True] * 50 + [False] * 50)
    groups = ["a"] * 50 + ["b"] * 50
    found = bootstrap(lambda chosen: float(right[chosen].mean()), groups)
    assert (found.value, found.low, found.high, found.groups) == (0.5, 0.0, 1.0, 2)
    single = bootstrap(lambda chosen: float(right[chosen].mean()), [str(at) for at in range(100)])
    assert 0.35 < single.low < 0.45 < 0.55 < single.high < 0.65


def test_draws_that_cannot_be_told_are_left_out() -> None:
    found = bootstrap(lambda chosen: float("nan") if len({*chosen}) < 2 else 1.0, ["a", "b"])
    assert (found.low, found.high) == (1.0, 1.0)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(1).random(40)
    groups = [str(at % 8) for at in range(40)]

    def mean(chosen: np.ndarray) -> float:
        return float(values[chosen].mean())

    assert bootstrap(mean, groups, 200, 3) == bootstrap(mean, groups, 200, 3)
    assert bootstrap(mean, groups, 200, 3) != bootstrap(mean, groups, 200, 4)


@pytest.mark.parametrize(
    ("confidence", "right", "group"),
    [([0.5], [True, False], ["a"]), ([], [], []), ([0.5], [True], []), ([1.5], [True], ["a"])],
)
def test_answers_that_do_not_fit_together(
    confidence: list[float], right: list[bool], group: list[str]
) -> None:
    with pytest.raises(DataError):
        Answers("beats", np.array(confidence), np.array(right, bool), group)


def test_pieces_are_joined_and_a_note_is_told_once() -> None:
    first = Evaluation({"a": 1.0}, notes=("A screening aid, not a diagnosis.",))
    second = Evaluation({"b": 2.0}, answers=(answers([0.5], [True]),), notes=first.notes)
    whole = joined([first, second])
    assert (whole.metrics, whole.notes) == ({"a": 1.0, "b": 2.0}, first.notes)
    assert [a.name for a in whole.answers] == ["beats"]


def test_the_page_has_every_figure_and_says_what_is_drawn() -> None:
    pytest.importorskip("altair", reason="altair is not installed (extra report)")
    told = answers([0.9, 0.8, 0.2], [True, True, False], 0.5)
    interval = bootstrap(lambda chosen: 0.75, ["a", "b"], 10)
    page = evidence_page(
        "ECG <b>", Evaluation({"v_f1": 0.75}, {"v_f1": interval}, (told,), ("no diagnosis",))
    )
    assert page == evidence_page(
        "ECG <b>", Evaluation({"v_f1": 0.75}, {"v_f1": interval}, (told,), ("no diagnosis",))
    )
    for text in (
        "v_f1",
        "0.75 to 0.75",
        "no diagnosis",
        "ECG &lt;b&gt;",
        "66.7 % are answered",
        "0.00 % of them",
    ):
        assert text in page
    assert page.count("<svg") == 2
    assert "<script" not in page

"""Figures as a card shows them."""

from __future__ import annotations

import pytest

from pintsize.apps.evidence import Evaluation, Interval
from pintsize.apps.evidence.tables import figures_table, measured_table, shown


@pytest.mark.parametrize(
    ("value", "text"), [(0.123456, "0.1235"), (12345, "12,345"), (2.0, "2"), ("cortex-m4", "cortex-m4")]
)
def test_numbers_are_short(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_table_of_figures() -> None:
    assert figures_table("of training", {}) == ""
    assert figures_table("of training", {"steps": 3}) == "| of training | |\n|---|---|\n| steps | 3 |\n"


def test_intervals_stand_beside_their_figures() -> None:
    found = Evaluation({"v_f1": 0.9, "flash": 10}, {"v_f1": Interval(0.9, 0.8, 0.95, 11)})
    lines = measured_table(found, "patient").splitlines()
    assert lines[0].endswith("| 95 % interval, by patient |")
    assert lines[2:] == ["| v_f1 | 0.9 | 0.8 to 0.95 |", "| flash | 10 |  |"]

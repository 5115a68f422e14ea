"""Found beats against annotated ones: one to one, the nearer of two."""

from __future__ import annotations

import pytest

from pintsize.apps.ecg.beats.matching import matched


@pytest.mark.parametrize(
    ("found", "there", "hits", "right"),
    [
        ([100, 200], [101, 199], [0, 1], [True, True]),
        ([100], [101, 199], [0, -1], [True]),
        ([100, 150, 200], [101, 199], [0, 2], [True, False, True]),
        ([74, 98], [100], [1], [False, True]),  # both within the tolerance: the nearer one
        ([100, 126], [75, 100], [0, 1], [True, True]),
        ([73], [100.5], [-1], [False]),
        ([], [10], [-1], []),
        ([10], [], [], [False]),
    ],
)
def test_one_to_one(found: list[float], there: list[float], hits: list[int], right: list[bool]) -> None:
    match = matched(found, there, 27)
    assert match.hits.tolist() == hits
    assert match.right.tolist() == right

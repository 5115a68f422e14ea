"""Which windows are judged, and against what."""

from __future__ import annotations

import numpy as np
import pytest

from pintsize.apps.wearable.activity.truth import macro_f1, majorities, middles

STEP = 5


def test_a_window_is_judged_by_its_middle() -> None:
    doing = np.repeat([0, 1, 2], [60, 60, 60])
    at, right = middles(doing, STEP)
    ends = (at + 1) * STEP
    assert ends[0] == 100
    assert ends[-1] == 180
    np.testing.assert_array_equal(right, doing[ends - 50])


def test_a_window_a_second_is_judged_by_most_of_it() -> None:
    doing = np.repeat([0, 1], [70, 130])
    at, right = majorities(doing, STEP, 2)
    np.testing.assert_array_equal((at + 1) * STEP, [100, 150, 200])
    np.testing.assert_array_equal(right, [0, 1, 1])


def test_a_recording_of_less_than_two_seconds_has_no_window() -> None:
    assert [len(found) for found in middles(np.zeros(99, np.int64), STEP)] == [0, 0]


def test_labels_count_the_same_however_rare() -> None:
    right = np.array([0] * 98 + [1, 1])
    told = np.zeros(100, np.int64)
    assert macro_f1(told, right, 3) == pytest.approx(0.5 * 2 * 98 / 198)
    assert macro_f1(right, right, 3) == 1.0

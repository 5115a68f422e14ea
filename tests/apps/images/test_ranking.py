"""The area under the curve is how often a positive ranks above a negative."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pintsize.apps.images.ranking import area_under_curve


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_it_equals_counting_all_pairs(rows: list[tuple[int, bool]]) -> None:
    positives = [score for score, positive in rows if positive]
    negatives = [score for score, positive in rows if not positive]
    found = area_under_curve([score for score, _ in rows], [positive for _, positive in rows])
    if not positives or not negatives:
        assert math.isnan(found)
        return
    wins = np.mean([(p > n) + 0.5 * (p == n) for p in positives for n in negatives])
    assert abs(found - wins) < 1e-12

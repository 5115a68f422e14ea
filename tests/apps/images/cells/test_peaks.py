"""Cells are found and counted in codes, by whole numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from pintsize.apps.images.cells.peaks import (
    MASS_BITS,
    Mass,
    Peak,
    Rule,
    counted,
    facts_of,
    peaks,
    rules_of,
)

ONE = 1 << MASS_BITS


def test_the_largest_within_the_distance_counts() -> None:
    heatmap = np.full((5, 7), -100, np.int8)
    heatmap[1, 1], heatmap[2, 2], heatmap[3, 5] = 40, 30, 25
    assert peaks(heatmap, Rule(20, 1)) == [Peak(1, 1, 40), Peak(3, 5, 25)]
    assert peaks(heatmap, Rule(30, 1)) == [Peak(1, 1, 40)]


def test_of_equal_neighbours_the_first_counts() -> None:
    heatmap = np.full((3, 4), -100, np.int8)
    heatmap[1, 1:3] = 50
    assert peaks(heatmap, Rule(0, 1)) == [Peak(1, 1, 50)]


@given(arrays(np.int8, (6, 7), elements=st.integers(-3, 3)), st.integers(1, 3), st.integers(-3, 3))
def test_peaks_equal_the_plain_definition(heatmap: NDArray[np.int8], distance: int, threshold: int) -> None:
    assert peaks(heatmap, Rule(threshold, distance)) == plain(heatmap, Rule(threshold, distance))


def plain(heatmap: NDArray[np.int8], rule: Rule) -> list[Peak]:
    """Place by place."""
    found: list[Peak] = []
    rows, columns = heatmap.shape
    for y in range(rows):
        for x in range(columns):
            code = int(heatmap[y, x])
            around = [
                (int(heatmap[v, u]), (v, u) < (y, x))
                for v in range(max(0, y - rule.distance), min(rows, y + rule.distance + 1))
                for u in range(max(0, x - rule.distance), min(columns, x + rule.distance + 1))
                if (v, u) != (y, x)
            ]
            beaten = any(other > code or (other == code and before) for other, before in around)
            if code >= rule.threshold and not beaten:
                found.append(Peak(y, x, code))
    return found


def test_by_mass_the_strongest_are_shown() -> None:
    heatmap = np.full((4, 9), -128, np.int8)
    heatmap[1, 1], heatmap[1, 4], heatmap[1, 7] = 10, 90, 50
    weights = [0] * 256
    weights[10 + 128] = weights[90 + 128] = weights[50 + 128] = 2 * ONE // 3
    count, shown = counted(heatmap, Rule(0, 1, Mass(tuple(weights), ONE // 2)))
    assert count == 2  # 3 times two thirds, halves up
    assert [peak.code for peak in shown] == [90, 50]


def test_a_mass_below_nothing_is_nothing() -> None:
    assert Mass((0,) * 256, -5 * ONE).count(np.zeros((2, 2), np.int8)) == 0


def test_rules_come_back_from_their_facts() -> None:
    rules = (Rule(-4, 2, Mass(tuple(range(256)), 7)), Rule(3, 5), Rule(12, 2))
    assert rules_of(facts_of(rules)) == rules

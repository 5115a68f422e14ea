"""What a beat is judged against: intervals by hand, a typical beat that no single beat moves far."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pintsize.apps.ecg.beats.finder import Beat
from pintsize.apps.ecg.classes.context import FIRST_BEATS, ONE, PEAK_TO_PEAK, PatientContext

BEFORE, AFTER, RATE_HZ = 6, 6, 180


def window(height: int, offset: int = 0) -> NDArray[np.int16]:
    made = np.full(BEFORE + AFTER, offset, np.int16)
    made[BEFORE] += height
    return made


def told_of(places: list[int]) -> PatientContext:
    context = PatientContext(BEFORE, AFTER, RATE_HZ)
    for place in places:
        context.update(Beat(place / RATE_HZ, place, 16))
    return context


def rhythm(context: PatientContext) -> list[int]:
    return context.rows(window(100))[2].tolist()


def test_an_even_rhythm_is_all_zeros_but_for_its_rate() -> None:
    assert rhythm(told_of([180 * i for i in range(20)])) == [0, 0, 0, 0, 0, 0, 0, 0]
    half_a_second = rhythm(told_of([90 * i for i in range(20)]))
    assert half_a_second == [0, 0, 0, 0, 0, 0, -ONE // 2, -ONE // 2]


def test_an_early_beat_is_early_against_all_intervals() -> None:
    early = rhythm(told_of([*(180 * i for i in range(20)), 180 * 19 + 90]))
    assert early[:5] == [-32, -32, 0, -32, 0]
    after = rhythm(told_of([*(180 * i for i in range(20)), 180 * 19 + 90, 180 * 19 + 360]))
    assert after[0] > 30
    assert after[2] == pytest.approx(-32, abs=2)  # the interval before it was short


def test_a_long_interval_stands_out_where_most_beats_come_early() -> None:
    """Of eight intervals two are long: the mean hides how early the others are."""
    places = np.cumsum([0, *([120, 120, 120, 240] * 8), 120]).tolist()
    compared = rhythm(told_of(places))
    assert compared[1] == -32
    assert -20 < compared[0] < -5


def test_the_first_beat_has_no_rhythm() -> None:
    assert rhythm(told_of([500])) == [0] * 8
    assert rhythm(told_of([500, 700])) == [0] * 8


def test_beats_are_measured_by_the_typical_one() -> None:
    context = told_of([180 * i for i in range(9)])
    for _ in range(FIRST_BEATS):
        context.learn(window(100, offset=40))
    beat, typical, _ = context.rows(window(200, offset=-7))
    assert context.ready
    assert np.ptp(typical) == pytest.approx(PEAK_TO_PEAK, abs=1)
    assert np.ptp(beat) == pytest.approx(127 + 2 * PEAK_TO_PEAK // 12, abs=2)  # 2 · 96 is cut at 127
    assert np.array_equal(context.rows(window(100))[0], context.rows(window(100, offset=9))[0])


def test_a_strange_beat_hardly_moves_the_typical_one() -> None:
    context = told_of([180 * i for i in range(9)])
    for _ in range(FIRST_BEATS + 20):
        context.learn(window(100))
    before = context.rows(window(100))[1]
    context.learn(window(-3000))
    assert np.abs(context.rows(window(100))[1] - before).max() <= 3


def test_a_new_patient_begins_anew() -> None:
    context = told_of([180 * i for i in range(12)])
    for _ in range(FIRST_BEATS):
        context.learn(window(100))
    context.reset("the lead was off")
    assert not context.ready
    assert rhythm(context) == [0] * 8


def test_a_flat_line_divides_by_nothing() -> None:
    context = told_of([0, 1])
    context.learn(window(0))
    beat, typical, _ = context.rows(window(0))
    assert not beat.any()
    assert not typical.any()

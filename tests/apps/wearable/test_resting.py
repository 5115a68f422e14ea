"""The resting rate: the lowest five minutes at rest, or why there are none."""

from __future__ import annotations

import pytest

from pintsize.apps.wearable.day import Beat, Day
from pintsize.apps.wearable.resting import resting_by_day, resting_rate, zone_minutes


def beats(first_s: int, stop_s: int, bpm: float, at_rest: bool | None = True, step: int = 1) -> list[Beat]:
    return [Beat(float(second), bpm, at_rest) for second in range(first_s, stop_s, step)]


def test_the_lowest_five_minutes_count() -> None:
    rates = beats(0, 600, 70) + beats(600, 900, 52) + beats(900, 1800, 65)
    assert resting_rate(rates, 1.0) == (52, None)


def test_a_short_dip_is_not_rest() -> None:
    found, _ = resting_rate(beats(0, 600, 70) + beats(600, 630, 30) + beats(630, 1200, 70), 1.0)
    assert found == pytest.approx(66)


def test_motion_does_not_count_and_holes_need_enough_around_them() -> None:
    assert resting_rate(beats(0, 600, 50, at_rest=False), 1.0)[0] is None
    few = beats(0, 100, 50)
    assert resting_rate(few, 1.0) == (None, "no 5 minutes at rest with enough rates in them")
    assert resting_rate([], 1.0) == (None, "no rate at rest was measured")


def test_slow_rates_count_by_their_period() -> None:
    assert resting_rate(beats(0, 3600, 60, step=60), 60.0)[0] == 60


def test_days_end_at_the_walls_midnight() -> None:
    day = Day("d", rates=beats(0, 3600, 55) + beats(86400, 90000, 60))
    assert resting_by_day(day) == {0: (55, None), 1: (60, None)}
    assert set(resting_by_day(day, offset_s=-7200)) == {-1, 0}


def test_minutes_in_zones_add_up() -> None:
    day = Day("d", rates=beats(0, 600, 60) + beats(600, 1200, 150))
    found = zone_minutes(day)
    assert (found["rest"], found["moderate"]) == (10, 10)
    assert sum(found.values()) == 20

"""The day's page: one file that needs nothing else, the same every time, gaps left empty, no name believed."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from pintsize.apps.wearable.application import APPLICATION, NOTICE
from pintsize.apps.wearable.charts import _points, bin_of
from pintsize.apps.wearable.day import Beat, Day, Span
from pintsize.apps.wearable.night import Slept
from pintsize.apps.wearable.opening import Clock
from pintsize.apps.wearable.page import day_page
from tests.apps.wearable.making import MARCH_S, Worn

pytest.importorskip("altair")
pytest.importorskip("vl_convert")


def a_day(name: str = "day.csv") -> Day:
    """Two hours with a hole of ten minutes, an activity, an alert."""
    day = Day(name, first_s=MARCH_S, last_s=MARCH_S + 7200)
    seconds = [s for s in range(7200) if not 3000 <= s < 3600]
    day.rates = [Beat(MARCH_S + s, 60 + 5 * float(np.sin(s / 300)), True) for s in seconds]
    day.activities = [
        Span(MARCH_S, MARCH_S + 600, "WALKING"),
        Span(MARCH_S + 700, MARCH_S + 900, None, "unsure"),
    ]
    day.alerts = [Span(MARCH_S + 3000, MARCH_S + 3600, "no signal", "nothing came for 600 s")]
    day.breaks = [Span(MARCH_S + 3600, MARCH_S + 3600, None, "600.000 s are missing")]
    day.without["no contact with the skin"] = 7
    day.sleep = [Span(MARCH_S, MARCH_S + 1800, "light"), Span(MARCH_S + 1800, MARCH_S + 2400, "wake")]
    return day


def slept(day: Day) -> Slept:
    return Slept(tuple(day.sleep), {"light": 30.0, "wake": 10.0}, 0.0, 0.75)


def test_the_page_says_what_the_day_was() -> None:
    day = a_day()
    page = day_page(day, Clock(ZoneInfo("Europe/Berlin")), slept(day))
    for told in (
        NOTICE, "2026-03-01 01:00:00 to 2026-03-01 03:00:00", "Europe/Berlin", "resting heart rate", "WALKING", "light",
        "no signal", "nothing came for 600 s", "no contact with the skin", "75%", "very light",
    ):  # fmt: skip
        assert told in page, told
    assert page.count("<svg") == 3
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_the_same_day_gives_the_same_bytes() -> None:
    assert day_page(a_day(), Clock()) == day_page(a_day(), Clock())


def test_no_point_is_drawn_in_a_hole_and_no_line_crosses_it() -> None:
    day = a_day()
    points = _points(day, Clock())
    inside = [p for p in points if 3000 + bin_of(day) < p["time"] / 1000 - MARCH_S < 3600 - bin_of(day)]
    assert inside == []
    assert {point["run"] for point in points} == {0, 1}


def test_an_empty_day_is_a_page_too() -> None:
    page = day_page(Day("nothing.csv"), Clock())
    assert "There is no signal" in page
    assert "No heart rate was measured" in page


def test_a_name_is_never_markup() -> None:
    assert "<script>alert" not in day_page(a_day("<script>alert(1)</script>"), Clock())


def test_several_days_have_a_resting_rate_each() -> None:
    day = Day("two.csv", first_s=MARCH_S, last_s=MARCH_S + 172_800, period_s=60.0)
    day.rates = [Beat(MARCH_S + s, 50.0 + (s >= 86_400) * 8, True) for s in range(0, 172_800, 60)]
    page = day_page(day, Clock())
    assert "2026-03-01" in page
    assert "2026-03-02" in page
    assert ">58<" in page


def test_a_run_fills_the_day(tmp_path: Path) -> None:
    _, day = APPLICATION.run_day(
        Worn(["hr"], [np.full(900, 64.0)], 1.0, MARCH_S, str(tmp_path / "w.csv")), []
    )
    page = day_page(day, Clock())
    assert "w.csv" in page
    assert str(tmp_path) not in page
    assert ">64<" in page

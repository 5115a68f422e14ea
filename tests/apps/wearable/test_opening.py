"""Tables as they are exported: times of every kind, midnight, summer time, holes, what comes twice or too late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from pintsize.apps.application import RunOptions
from pintsize.apps.wearable.application import APPLICATION
from pintsize.apps.wearable.day import Day
from pintsize.apps.wearable.opening import Clock, clock_of, open_worn
from pintsize.apps.wearable.page import wall
from pintsize.errors import DataError, UserError
from pintsize.stream.decision import Decision
from pintsize.stream.sinks import CallbackSink
from tests.apps.wearable.making import MARCH_S, write_table

BERLIN = ZoneInfo("Europe/Berlin")


def run(path: Path) -> tuple[Day, list[Decision]]:
    told: list[Decision] = []
    _, day = APPLICATION.run_day(open_worn(str(path)), [CallbackSink(told.append)], RunOptions())
    return day, told


def rates(path: Path, times: list[str | float], bpm: float = 62.0) -> tuple[Day, list[Decision]]:
    column = bpm + np.arange(len(times)) % 3
    return run(write_table(path / "heart.csv", ["heart_rate"], times, [column]))


@pytest.mark.parametrize(
    "unit",
    [
        lambda s: MARCH_S + s,
        lambda s: 1000 * (MARCH_S + s),
        lambda s: datetime.fromtimestamp(MARCH_S + s, UTC).isoformat(),
        lambda s: datetime.fromtimestamp(MARCH_S + s, BERLIN).isoformat(),
        lambda s: datetime.fromtimestamp(MARCH_S + s, UTC).strftime("%d.%m.%Y %H:%M:%S"),
    ],
    ids=["seconds", "milliseconds", "iso", "iso-offset", "written"],
)
def test_times_of_every_kind_are_the_same_times(tmp_path: Path, unit: object) -> None:
    assert callable(unit)
    day, told = rates(tmp_path, [str(unit(second)) for second in range(120)])
    assert len(day.rates) == 120
    assert day.rates[0].time_s == pytest.approx(MARCH_S, abs=1)
    assert [d for d in told if d.kind == "health" and d.value is None] == []


def test_midnight_is_passed(tmp_path: Path) -> None:
    times = [f"{(86340 + s) // 3600 % 24:02d}:{(86340 + s) // 60 % 60:02d}:{s % 60:02d}" for s in range(120)]
    day, told = rates(tmp_path, list(times))
    steps = np.diff([beat.time_s for beat in day.rates])
    assert (steps == 1).all()
    assert len(day.rates) == 120
    assert not any(d.kind == "health" for d in told)


def autumn(zoned: bool) -> list[str | float]:
    """A minute before to a minute after the clock is set back from 3 to 2 o'clock."""
    change = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    moments = [(change + timedelta(seconds=second)).astimezone(BERLIN) for second in range(-60, 60)]
    return [(m if zoned else m.replace(tzinfo=None)).isoformat() for m in moments]


def test_with_a_zone_the_end_of_summer_time_is_nothing(tmp_path: Path) -> None:
    day, told = rates(tmp_path, autumn(zoned=True))
    assert (np.diff([beat.time_s for beat in day.rates]) == 1).all()
    assert not any(d.kind == "health" for d in told)


def test_without_one_the_clock_goes_back_and_it_is_told(tmp_path: Path) -> None:
    day, told = rates(tmp_path, autumn(zoned=False))
    assert len(day.rates) == 120  # nothing is lost
    assert any("back by" in (d.reason or "") for d in told if d.kind == "health")
    assert any(d.kind == "heart_rate" and d.value is None for d in told)


def test_without_one_the_beginning_of_summer_time_is_a_gap(tmp_path: Path) -> None:
    change = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    times = [
        (change + timedelta(seconds=second)).astimezone(BERLIN).replace(tzinfo=None).isoformat()
        for second in range(-60, 60)
    ]
    _, told = rates(tmp_path, list(times))
    assert any("3600.000 s are missing" in (d.reason or "") for d in told if d.kind == "health")


def test_a_gap_ends_what_was_told(tmp_path: Path) -> None:
    times = [MARCH_S + s for s in range(100)] + [MARCH_S + 400 + s for s in range(100)]
    day, told = rates(tmp_path, list(times))
    assert len(day.breaks) == 1
    lost = [d for d in told if d.kind == "heart_rate" and d.value is None and d.reason != "the signal ended"]
    assert [("missing" in (d.reason or "")) for d in lost] == [True]
    assert [d.kind for d in told if d.value == "no signal"] == ["alert", "alert over"]


def test_a_time_that_comes_twice_or_too_late_is_left_out_and_told(tmp_path: Path) -> None:
    seconds = [*range(50), 49, *range(50, 80), 70, *range(80, 120)]
    day, told = rates(tmp_path, [MARCH_S + s for s in seconds])
    assert len(day.rates) >= 118
    reasons = " ".join(d.reason or "" for d in told if d.kind == "health")
    assert "came twice" in reasons
    assert "jumped back by 10.000 s" in reasons


def test_rates_that_come_when_they_like_have_holes(tmp_path: Path) -> None:
    seconds = np.cumsum(np.random.default_rng(0).choice([5, 7, 10, 15, 40], 200))
    day, _ = rates(tmp_path, [MARCH_S + int(s) for s in seconds])
    assert len(day.rates) == 200
    assert 5 <= day.period_s <= 15


def test_empty_cells_are_no_rates_but_no_fault(tmp_path: Path) -> None:
    column = np.where(np.arange(200) % 5 == 0, 64.0, np.nan)
    day, told = run(
        write_table(tmp_path / "hr.csv", ["heart_rate"], [MARCH_S + s for s in range(200)], [column])
    )
    assert len(day.rates) == 40
    assert not any(d.kind == "health" for d in told)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [(0, "sends 0"), (255, "sends 255"), (12, "no heart has"), (240, "no heart has"), (-5, "no number")],
)
def test_what_a_sensor_sends_without_a_rate_is_none(tmp_path: Path, cell: float, reason: str) -> None:
    column = np.concatenate([np.full(60, 70.0), np.full(60, float(cell))])
    day, told = run(write_table(tmp_path / "hr.csv", ["hr"], [MARCH_S + s for s in range(120)], [column]))
    assert {beat.bpm for beat in day.rates} == {70.0}
    lost = [d for d in told if d.kind == "heart_rate" and d.value is None and d.reason != "the signal ended"]
    assert len(lost) == 1
    assert reason in (lost[0].reason or "")
    assert lost[0].time_s <= MARCH_S + 71


def test_a_clock_says_what_its_times_are(tmp_path: Path) -> None:
    naive = write_table(
        tmp_path / "a.csv", ["hr"], ["2026-07-01 12:00:00", "2026-07-01 12:00:01"], [np.ones(2)]
    )
    zoned = write_table(tmp_path / "b.csv", ["hr"], ["2026-07-01T12:00:00+02:00"] * 2, [np.ones(2)])
    epoch = write_table(tmp_path / "c.csv", ["hr"], [MARCH_S, MARCH_S + 1], [np.ones(2)])
    summer_s = 1_782_900_000.0
    assert clock_of(str(naive), "Europe/Berlin").offset_s(summer_s) == 0
    assert clock_of(str(zoned), "Europe/Berlin").offset_s(summer_s) == 7200
    assert clock_of(str(epoch), "Europe/Berlin").offset_s(MARCH_S) == 3600
    assert clock_of(str(epoch), None).offset_s(MARCH_S) == 0
    assert "as they were written" in clock_of(str(naive), None).in_words(summer_s, summer_s)
    with pytest.raises(UserError, match="Mars/Crater"):
        clock_of(str(naive), "Mars/Crater")


def test_times_stand_on_the_wall_as_the_clock_did() -> None:
    clock = Clock(BERLIN)
    assert wall(MARCH_S, clock) == "2026-03-01 01:00:00"
    assert wall(3725.0, clock) == "01:02:05"
    october_s = datetime(2026, 10, 24, 12, tzinfo=UTC).timestamp()
    assert "was changed" in clock.in_words(october_s, october_s + 86400)
    assert "beginning of the recording" in clock.in_words(0.0, 100.0)


def test_a_table_without_anything_known_is_refused(tmp_path: Path) -> None:
    path = write_table(tmp_path / "s.csv", ["steps"], [MARCH_S, MARCH_S + 1, MARCH_S + 2], [np.arange(3.0)])
    with pytest.raises(DataError, match="steps"):
        APPLICATION.run(open_worn(str(path)), [])

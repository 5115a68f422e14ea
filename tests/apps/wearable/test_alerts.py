"""Alerts begin once a rate holds, end once it is clearly back, and never rest on a rate that is gone."""

from __future__ import annotations

import pytest

from pintsize.apps.wearable.alerts import HIGH, LOW, SILENT, AlertRule, Alerts
from pintsize.apps.wearable.zones import Zones, zones_of
from pintsize.errors import UserError
from pintsize.stream.decision import Decision

RULE = AlertRule(120, 40, hold_s=10, silent_s=30)


def fed(
    alerts: Alerts, first: int, stop: int, bpm: float, at_rest: bool = True
) -> list[tuple[float, str, object]]:
    return said(d for second in range(first, stop) for d in alerts.rate(float(second), bpm, at_rest))


def said(told: object) -> list[tuple[float, str, object]]:
    return [(d.time_s, d.kind, d.value) for d in told if isinstance(d, Decision)]  # type: ignore[attr-defined]


def test_a_high_rate_at_rest_must_hold_and_must_come_clearly_back() -> None:
    alerts = Alerts(RULE)
    assert fed(alerts, 0, 9, 130) == []
    assert fed(alerts, 9, 20, 130) == [(10, "alert", HIGH)]
    assert fed(alerts, 20, 40, 117) == []  # below 120, not yet below 115
    assert fed(alerts, 40, 50, 110) == [(40, "alert over", HIGH)]


def test_effort_is_no_alert_and_ends_one() -> None:
    alerts = Alerts(RULE)
    assert fed(alerts, 0, 60, 170, at_rest=False) == []
    assert fed(alerts, 60, 80, 130) == [(70, "alert", HIGH)]
    assert fed(alerts, 80, 81, 130, at_rest=False) == [(79, "alert over", HIGH)]


def test_a_low_rate_is_one_at_rest_or_not() -> None:
    alerts = Alerts(RULE)
    assert fed(alerts, 0, 20, 36, at_rest=False) == [(10, "alert", LOW)]
    assert fed(alerts, 20, 25, 43) == []
    assert fed(alerts, 25, 30, 46) == [(25, "alert over", LOW)]


def test_silence_is_alerted_once_with_its_reason_and_ends_what_was_alerted() -> None:
    alerts = Alerts(RULE)
    fed(alerts, 0, 20, 130)
    told = [d for second in range(20, 90) for d in alerts.silence(float(second), "no contact with the skin")]
    assert [(d.kind, d.value) for d in told] == [("alert over", HIGH), ("alert", SILENT)]
    assert told[1].time_s - (told[1].start_s or 0) == 30
    assert told[1].reason == "no contact with the skin"
    assert fed(alerts, 90, 91, 70) == [(90, "alert over", SILENT)]


def test_a_hole_in_the_signal_is_alerted_when_it_is_over() -> None:
    alerts = Alerts(RULE)
    fed(alerts, 0, 5, 70)
    assert fed(alerts, 600, 601, 70) == [(600, "alert", SILENT), (600, "alert over", SILENT)]


def test_the_end_ends_everything() -> None:
    alerts = Alerts(RULE)
    fed(alerts, 0, 20, 130)
    assert said(alerts.finish(20.0)) == [(20, "alert over", HIGH)]
    assert said(alerts.finish(21.0)) == []


@pytest.mark.parametrize(
    "wrong",
    [{"high_bpm": 300}, {"low_bpm": 10}, {"high_bpm": 60, "low_bpm": 55}, {"hold_s": -1}, {"silent_s": 0}],
)
def test_limits_that_do_not_fit_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UserError):
        AlertRule(**wrong)


def test_zones_are_left_downwards_only_when_clearly_below() -> None:
    zones = Zones(200)
    assert [zones.of(bpm) for bpm in (60, 100, 125, 145, 165, 199)] == [
        "rest", "very light", "light", "moderate", "hard", "maximum",
    ]  # fmt: skip
    assert zones.of(119, before="light") == "light"
    assert zones.of(116, before="light") == "very light"
    assert zones.of(80, before="light") == "rest"


def test_the_highest_rate_follows_from_the_age() -> None:
    assert zones_of(40, None).highest_bpm == 180
    assert zones_of(None, 175).highest_bpm == 175
    assert zones_of(None, None).highest_bpm == 190
    for age, highest in ((40, 180.0), (5, None), (None, 400.0)):
        with pytest.raises(UserError):
            zones_of(age, highest)

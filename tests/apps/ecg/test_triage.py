"""What should be done, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pintsize.apps.ecg.quality import RATE_HZ
from pintsize.apps.ecg.rhythm import Counts
from pintsize.apps.ecg.triage import RULES, Level, Recorded, triage

MINUTE = 60 * RATE_HZ


def recorded(**changed: object) -> Recorded:
    """A minute of 72 normal beats; changed: of its counts."""
    counts = Counts([72, 0, 0, 0], 0, 0, 71, 71 * 150, 8 * 150, 8 * 150)
    return Recorded(replace(counts, **changed), MINUTE, MINUTE, 72, 0)  # type: ignore[arg-type]


def test_a_minute_of_a_steady_heart_is_normal() -> None:
    found = triage(recorded())
    assert (found.name, found.bits) == ("normal", 0)
    assert found.reasons == ("nothing that these rules look for",)


@pytest.mark.parametrize(
    ("level", "reason", "changed"),
    [
        (Level.URGENT, "tachycardia", {"tachycardias": 1, "ventricular_runs": 1, "longest_run": 5, "fastest_run": 140}),
        (Level.URGENT, "a pause of 3.5 s", {"pauses": 1, "longest_pause": 630}),
        (Level.URGENT, "act at once", {"standstills": 1}),
        (Level.URGENT, "very slow: down to 39.7", {"slowest": 8 * 272}),
        (Level.URGENT, "very fast: up to 151.0", {"fastest": 572}),
        (Level.REPEAT, "only 5 intervals", {"intervals": 5, "interval_sum": 750}),
        (Level.REPEAT, "30 of 80 beats could not be named", {"classes": [50, 0, 0, 0], "abstained": 38, "learning": 8}),
        (Level.REFER, "possible atrial fibrillation", {"irregularities": 1}),
        (Level.REFER, "1 ventricular run below 100", {"ventricular_runs": 1}),
        (Level.REFER, "2 ventricular couplets", {"couplets": 2}),
        (Level.REFER, "bigeminy", {"bigeminies": 1}),
        (Level.REFER, "3 of 72 beats are ventricular", {"classes": [69, 0, 3, 0]}),
        (Level.REFER, "1 supraventricular run", {"supraventricular_runs": 1}),
        (Level.REFER, "6 of 72 beats are supraventricular", {"classes": [66, 6, 0, 0]}),
        (Level.REFER, "1 pause, up to 2.5 s", {"pauses": 1, "longest_pause": 450}),
        (Level.REFER, "slow: 49.9", {"intervals": 50, "interval_sum": 10_820}),
        (Level.REFER, "fast: 100.9", {"intervals": 100, "interval_sum": 10_700}),
    ],
)  # fmt: skip
def test_each_rule_says_what_and_why(level: Level, reason: str, changed: dict[str, object]) -> None:
    found = triage(recorded(**changed))
    assert found.level is level
    assert reason in found.reasons[0]


def test_too_short_too_bad_and_reversed_are_to_be_repeated() -> None:
    good = recorded()
    assert "only 9.9 s" in triage(replace(good, usable=1790, total=1790)).reasons[0]
    assert "35 % of the signal" in triage(replace(good, usable=MINUTE * 65 // 100)).reasons[0]
    assert "reversed lead suspected: 60 of 72" in triage(replace(good, upright=12, inverted=60)).reasons[0]
    assert triage(replace(good, upright=60, inverted=12)).name == "normal"


def test_what_is_urgent_is_told_before_what_is_to_be_repeated() -> None:
    found = triage(replace(recorded(standstills=1, couplets=1), usable=1000))
    assert found.name == "urgent"
    assert ["act at once" in found.reasons[0], "only 5.6 s" in found.reasons[1]] == [True, True]
    assert found.reasons[-1] == "1 ventricular couplet"


def test_a_few_false_alarms_of_the_classifier_are_borne() -> None:
    counts = Counts([1990, 5, 5, 0], 0, 0, 1999, 1999 * 150, 1200, 1200)
    assert triage(Recorded(counts, 30 * MINUTE, 30 * MINUTE, 2000, 0)).name == "normal"


def test_no_signal_at_all_is_to_be_repeated() -> None:
    assert triage(Recorded(Counts(), 0, 0, 0, 0)).name == "repeat"


def test_rules_of_a_level_stand_together_as_c_has_them() -> None:
    assert [rule.level for rule in RULES] == [Level.URGENT] * 5 + [Level.REPEAT] * 5 + [Level.REFER] * 10

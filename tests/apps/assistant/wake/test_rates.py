"""Rates are those of the real detector; levels are found on a grid, and saying a word where it is said is right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pintsize.apps.assistant.wake.hearing import Heard, at_level, detections
from pintsize.apps.assistant.wake.levels import LEAST, RULE, levels_of, log_odds, odds_share
from pintsize.apps.assistant.wake.rates import (
    Background,
    Spoken,
    false_accepts,
    highest_level,
    hours_without,
    level_for,
    rates_at,
)
from pintsize.errors import DataError
from pintsize.stream.decision import Detector

LABELS = ("down", "up", "other")
HOP_S = 0.04


def heard_with(seconds: float, *events: tuple[str, float, float, float]) -> Heard:
    """Chances of 0.001 but where (word, from, to, chance) says otherwise."""
    steps = round(seconds / HOP_S)
    times_s = np.arange(1, steps + 1) * HOP_S
    chances = np.full((steps, 3), 0.001)
    for word, begin_s, end_s, chance in events:
        chances[(times_s >= begin_s) & (times_s < end_s), LABELS.index(word)] = chance
    chances[:, 2] = np.maximum(0.0, 1.0 - chances[:, :2].sum(1))
    return Heard(times_s, chances)


def test_a_word_is_told_once_when_its_mean_passes_the_level() -> None:
    heard = heard_with(4.0, ("up", 2.0, 2.5, 0.9), ("down", 3.0, 3.5, 0.7))
    (told,) = detections(heard, LABELS, "up", RULE)
    assert told.value == "up"
    assert 2.0 <= told.time_s <= 2.2
    assert detections(heard, LABELS, "down", RULE) == []
    assert len(detections(heard, LABELS, "down", RULE, on=0.6)) == 1


def full_run(heard: Heard, word: str, on: float) -> list[float]:
    """Every step told, none left out."""
    detector = Detector(LABELS, at_level(RULE, on), [label for label in LABELS if label != word])
    told = [detector.update(float(t), c) for t, c in zip(heard.times_s, heard.chances, strict=True)]
    return [d.time_s for d in told if d is not None]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), on=st.sampled_from([0.3, 0.6, 0.9]))
def test_steps_that_are_left_out_change_nothing(seed: int, on: float) -> None:
    random = np.random.default_rng(seed)
    heard = heard_with(30.0)
    for _ in range(random.integers(0, 8)):
        first = int(random.integers(0, len(heard.times_s)))
        heard.chances[first : first + int(random.integers(1, 90)), 1] = random.uniform(0.1, 1.0)
    assert [d.time_s for d in detections(heard, LABELS, "up", RULE, on)] == full_run(heard, "up", on)


def background(
    *events: tuple[str, float, float, float], said: tuple[tuple[str, float, float], ...] = ()
) -> Background:
    return Background(heard_with(3600.0, *events), 3600.0, said)


def test_telling_a_word_where_it_is_said_is_no_false_accept() -> None:
    events = ("up", 10.0, 10.5, 0.95)
    assert false_accepts("up", 0.5, [background(events)], LABELS, RULE) == 1
    assert false_accepts("up", 0.5, [background(events, said=(("up", 9.5, 10.2),))], LABELS, RULE) == 0
    assert false_accepts("up", 0.5, [background(events, said=(("down", 9.5, 10.2),))], LABELS, RULE) == 1


def test_the_level_for_a_rate_lies_above_all_but_the_allowed_accepts() -> None:
    events = [("up", 100.0 * n, 100.0 * n + 0.5, chance) for n, chance in enumerate((0.3, 0.5, 0.7, 0.9), 1)]
    twice = [background(*events), background()]  # two hours: one accept is allowed at 0.5 an hour
    level = level_for("up", 0.5, twice, LABELS, RULE)
    assert 0.7 < level < 0.72
    assert false_accepts("up", level, twice, LABELS, RULE) == 1
    assert level_for("down", 0.5, twice, LABELS, RULE) < 0.06


def spoken(word: str, chance: float, at_s: float = 1.6) -> Spoken:
    return Spoken(word, heard_with(3.0, (word, at_s, at_s + 0.4, chance)), 1.0, 1.6)


def test_rejects_are_those_not_told_in_time() -> None:
    clips = [spoken("up", 0.9), spoken("up", 0.4), spoken("up", 0.9, at_s=2.5), spoken("down", 0.2)]
    found = rates_at("up", 0.6, clips, [background(("up", 50.0, 50.5, 0.8))], LABELS, RULE)
    assert found.false_reject == pytest.approx(2 / 3)
    assert found.false_accepts_per_hour == pytest.approx(1.0)
    (late_s,) = found.latencies_s
    assert 0.0 < late_s < 0.15
    with pytest.raises(DataError, match="0 clips"):
        rates_at("up", 0.6, clips[3:], [background()], LABELS, RULE)


def test_the_highest_level_keeps_all_but_the_allowed_clips() -> None:
    clips = [spoken("up", chance) for chance in (0.6, 0.8, 0.9, 0.95)]
    assert highest_level("up", 0.0, clips, LABELS, RULE) == pytest.approx(0.6, abs=0.02)
    assert highest_level("up", 0.25, clips, LABELS, RULE) == pytest.approx(0.8, abs=0.02)


def test_a_word_s_own_time_is_no_time_without_it() -> None:
    assert hours_without(
        "up", [background(said=(("up", 0.0, 360.0), ("down", 400.0, 500.0)))]
    ) == pytest.approx(0.9)


def test_levels_lie_halfway_and_never_below_the_least() -> None:
    negatives = [background(("up", 50.0, 50.5, 0.7), ("up", 90.0, 90.5, 0.7))]
    clips = [spoken("up", 0.95), spoken("down", 0.98)]
    levels = levels_of(("down", "up"), clips, negatives, LABELS)
    assert odds_share((log_odds(0.7) + log_odds(0.95)) / 2) == pytest.approx(levels["up"], abs=0.02)
    assert LEAST < levels["down"] < 0.98
    many = [background(*(("up", 50.0 * n, 50.0 * n + 0.5, 0.97) for n in range(1, 9)))]
    assert levels_of(("up",), clips, many, LABELS)["up"] > 0.97

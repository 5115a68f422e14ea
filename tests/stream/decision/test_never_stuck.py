"""Whatever a stage is told: it never says a stale value, and is idle again after its timeout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pintsize.stream.decision import (
    Calibrated,
    Calibration,
    Decision,
    Detection,
    Detector,
    Endpointer,
    Endpointing,
    ExponentialSmoothing,
    Grammar,
    Hysteresis,
    Levels,
    Listening,
    MeanSmoothing,
    MedianTracker,
    OrderMatcher,
    Refractory,
    Tracking,
)

GRAMMAR = Grammar({"order": ["[make|give] me (a) {drink} (with milk)"]}, {"drink": ["latte", "black tea"]})
LEVELS = Levels(on=0.7, off=0.4, timeout_s=2.0, hold_s=0.1)

scores = st.one_of(st.none(), st.just(float("nan")), st.floats(0, 1))
vectors = st.one_of(st.none(), st.lists(st.floats(0, 1), min_size=3, max_size=3))
mostly_high = st.one_of(st.just(1.0), st.floats(0.5, 1), st.floats(0, 1))
words = st.one_of(
    st.none(), st.sampled_from(["make", "me", "a", "latte", "black", "tea", "with", "dog", "make me"])
)
#: steps of time: mostly small, some long gaps, some back
steps = st.one_of(st.floats(0, 0.3), st.floats(0, 0.3), st.floats(0, 30), st.floats(-5, 0))

STAGES: dict[str, tuple[Callable[[], Any], Any, Any]] = {
    "hysteresis": (lambda: Hysteresis(LEVELS), scores, 0.0),
    "endpointer": (lambda: Endpointer(Endpointing(0.6, 0.3, longest_s=3.0, least_s=0.2)), scores, 0.0),
    "tracker": (lambda: MedianTracker(Tracking(1.0, 2.0)), scores, None),
    "exponential": (lambda: ExponentialSmoothing(0.2, 1.0), vectors, None),
    "mean": (lambda: MeanSmoothing(0.3), vectors, None),
    "detector": (lambda: Detector("abc", Detection(LEVELS), silent="c"), vectors, None),
    "calibrated": (lambda: Calibrated(Calibration(2.0), Detector("abc", Detection(LEVELS))), vectors, None),
    "orders": (lambda: OrderMatcher(GRAMMAR, Listening(pause_s=0.5, timeout_s=3.0)), words, None),
}


@pytest.mark.parametrize("name", STAGES)
@settings(max_examples=40)
@given(data=st.data())
def test_after_its_timeout_without_a_signal_a_stage_is_idle(name: str, data: st.DataObject) -> None:
    make, values, nothing = STAGES[name]
    stage, time_s = make(), 0.0
    for step_s, value in data.draw(st.lists(st.tuples(steps, values), max_size=30)):
        time_s += step_s
        assert_honest(stage.update(time_s, value), time_s)
    inner = stage._stage if name == "calibrated" else stage
    assert_honest(stage.update(time_s + inner.timeout_s, nothing), time_s + inner.timeout_s)
    assert inner.idle


@pytest.mark.parametrize("name", STAGES)
@settings(max_examples=40)
@given(data=st.data())
def test_a_reset_leaves_nothing_of_what_was(name: str, data: st.DataObject) -> None:
    make, values, _ = STAGES[name]
    used, fresh = make(), make()
    told = data.draw(st.lists(values, max_size=12))
    for i, value in enumerate(data.draw(st.lists(values, max_size=12))):
        used.update(0.1 * i, value)
    used.reset("a gap")
    said = [[str(stage.update(50 + 0.1 * i, v)) for i, v in enumerate(told)] for stage in (used, fresh)]
    assert said[0] == said[1]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0.01, 0.5), mostly_high), max_size=60))
def test_hysteresis_is_never_active_for_longer_than_allowed(told: list[tuple[float, float]]) -> None:
    stage, time_s, active_s = Hysteresis(LEVELS), 0.0, None
    for step_s, score in told:
        if active_s is not None:
            assert time_s - active_s < LEVELS.timeout_s
        time_s += step_s
        decision = stage.update(time_s, score)
        if decision is not None:
            active_s = time_s if decision.kind == "began" else None
        assert (stage.state == "active") == (active_s is not None)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0.01, 0.5), mostly_high), max_size=60))
def test_no_phrase_is_longer_than_allowed(told: list[tuple[float, float]]) -> None:
    stage, time_s = Endpointer(Endpointing(0.5, 0.5, silence_s=0.3, longest_s=1.0)), 0.0
    for step_s, score in told:
        time_s += step_s
        decision = stage.update(time_s, score)
        if decision and decision.kind == "ended" and decision.reason is None:
            assert decision.start_s is not None
            assert time_s - decision.start_s < 1.0
        assert stage.idle or time_s - (stage._start_s or 0) < 1.0


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from("ab")), max_size=40))
def test_refractory_lets_one_pass_in_each_period(told: list[tuple[float, str]]) -> None:
    stage, time_s, passed = Refractory(0.7), 0.0, dict[str, float]()
    for step_s, value in told:
        time_s += step_s
        if stage.update(time_s, Decision(time_s, "detected", value)):
            assert time_s - passed.get(value, -1) >= 0.7 - 1e-6
            passed[value] = time_s
    stage.update(time_s + 0.7, None)
    assert stage.idle


def assert_honest(said: object, time_s: float) -> None:
    """A decision is of now, or says of an earlier time that something was lost; None always has its reason."""
    if isinstance(said, Decision):
        assert said.value is not None or said.reason
        assert said.time_s <= time_s or said.kind == "lost"

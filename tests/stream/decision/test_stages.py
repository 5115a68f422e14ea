"""What each stage says, on signals small enough to follow by hand."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from pintsize.errors import UserError
from pintsize.stream.decision import (
    Classifier,
    Decision,
    Detection,
    Detector,
    Endpointer,
    Endpointing,
    ExponentialSmoothing,
    Hysteresis,
    Levels,
    MeanSmoothing,
    MedianTracker,
    Refractory,
    Thresholds,
    Tracking,
    record,
)


def said(stage: Any, values: Iterable[Any], step_s: float = 0.1) -> list[tuple[float, str, Any]]:
    """(time, kind, value) of what is said when told these, one every `step_s`."""
    told = [stage.update(round(i * step_s, 6), value) for i, value in enumerate(values)]
    return [(d.time_s, d.kind, d.value) for d in told if d is not None]


def test_a_decision_without_a_value_says_why() -> None:
    with pytest.raises(ValueError, match="must say why"):
        Decision(0.0, "measured", None)
    with pytest.raises(ValueError, match="say None"):
        Decision(0.0, "measured", math.nan)
    with pytest.raises(ValueError, match="twice"):
        Decision(0.0, "order", "make", slots=(("size", "large"), ("size", "small")))
    lost = record(Decision(1.5, "lost", None, reason="a gap"))
    assert lost == {"time_s": 1.5, "kind": "lost", "value": None, "reason": "a gap"}


def test_hysteresis_turns_on_above_one_level_and_off_below_the_other() -> None:
    stage = Hysteresis(Levels(on=0.7, off=0.3, timeout_s=5.0), "motion")
    told = said(stage, [0.5, 0.8, 0.5, 0.31, 0.29, 0.5])
    assert told == [(0.1, "began", "motion"), (0.4, "ended", "motion")]


def test_hysteresis_waits_until_the_score_holds() -> None:
    stage = Hysteresis(Levels(0.7, 0.3, 5.0, hold_s=0.2))
    assert said(stage, [0.8, 0.8, 0.1, 0.8, 0.8, 0.8])[0] == (0.5, "began", "active")


def test_a_stuck_score_times_out_and_may_come_again_only_after_a_second_timeout() -> None:
    stage = Hysteresis(Levels(0.7, 0.3, timeout_s=1.0))
    told = said(stage, [0.9] * 31)
    assert told == [
        (0.0, "began", "active"),
        (1.0, "ended", "active"),
        (2.0, "began", "active"),
        (3.0, "ended", "active"),
    ]
    assert stage.state == "spent"


def test_after_a_timeout_a_low_score_is_enough_to_be_ready_again() -> None:
    stage = Hysteresis(Levels(0.7, 0.3, timeout_s=0.5))
    told = said(stage, [0.9] * 6 + [0.1, 0.9])
    assert [kind for _, kind, _ in told] == ["began", "ended", "began"]


def test_an_active_state_is_lost_with_the_reason_when_the_score_is() -> None:
    stage = Hysteresis(Levels(0.7, 0.3, 5.0), "motion")
    stage.update(0.0, 0.9)
    lost = stage.update(0.1, None)
    assert lost == Decision(0.1, "lost", None, reason="motion: no score", start_s=0.0)
    assert stage.idle
    assert stage.update(0.2, None) is None


def test_a_clock_that_goes_back_is_no_time_to_decide_on() -> None:
    stage = Hysteresis(Levels(0.7, 0.3, 5.0))
    stage.update(9.0, 0.9)
    lost = stage.update(2.0, 0.9)
    assert lost is not None
    assert lost.value is None
    assert "went back 7.000 s" in str(lost.reason)


def test_levels_that_cannot_work_are_refused() -> None:
    for wrong in ({"on": 0.3, "off": 0.7, "timeout_s": 1.0}, {"on": 0.7, "off": 0.3, "timeout_s": 0.0}):
        with pytest.raises(UserError, match="hysteresis"):
            Levels(**wrong)


def test_a_phrase_ends_after_silence_and_one_too_short_is_none() -> None:
    rule = Endpointing(on=0.6, off=0.4, silence_s=0.2, least_s=0.15, longest_s=9.0)
    told = said(Endpointer(rule), [0, 1, 1, 0.5, 1, 0, 0, 0, 1, 0, 0, 0])
    assert told == [
        (0.1, "began", "speech"),
        (0.6, "ended", "speech"),
        (0.8, "began", "speech"),
        (1.0, "discarded", None),
    ]


def test_a_phrase_that_never_ends_is_ended_and_said_to_be_cut() -> None:
    stage = Endpointer(Endpointing(0.5, 0.5, longest_s=1.0))
    told = [stage.update(i / 10, 1.0) for i in range(12)]
    assert told[10] is not None
    assert "timeout" in str(told[10].reason)
    assert told[11] is not None
    assert told[11].kind == "began"


def test_a_phrase_at_the_signal_s_end_is_a_phrase() -> None:
    stage = Endpointer(Endpointing(0.5, 0.5))
    stage.update(0.0, 1.0)
    assert stage.finish(0.3) == Decision(0.3, "ended", "speech", reason="the signal ended", start_s=0.0)
    assert stage.finish(0.3) is None


def test_smoothing_takes_the_steps_length_into_account() -> None:
    even, uneven = ExponentialSmoothing(0.5, 9.0), ExponentialSmoothing(0.5, 9.0)
    for stage in (even, uneven):
        stage.update(0.0, [0.0])
    for i in range(1, 11):
        last = even.update(0.1 * i, [1.0])
    assert last is not None
    once = uneven.update(1.0, [1.0])
    assert once is not None
    assert last[0] == pytest.approx(1 - math.exp(-1.0 / 0.5))
    assert once[0] == pytest.approx(last[0])


def test_nothing_is_smoothed_over_a_break() -> None:
    stage = ExponentialSmoothing(0.5, timeout_s=1.0)
    stage.update(0.0, [1.0])
    after = stage.update(1.1, [0.0])
    assert after is not None
    assert after[0] == 0.0
    assert stage.update(1.2, [math.nan]) is None
    assert stage.idle


def test_the_mean_reaches_back_one_window() -> None:
    stage = MeanSmoothing(0.3)
    means = [stage.update(i / 10, [value]) for i, value in enumerate([1.0, 0.0, 0.5, 0.0, 0.1])]
    assert [None if m is None else round(float(m[0]), 6) for m in means] == [1.0, 0.5, 0.5, 0.166667, 0.2]


def test_the_best_class_is_told_only_when_it_is_sure_enough() -> None:
    stage = Classifier(["yes", "no", "stop"], Thresholds(known=0.5, margin=0.2, of={"stop": 0.9}))
    told = said(stage, [[0.7, 0.2, 0.1], [0.4, 0.3, 0.3], [0.55, 0.4, 0.05], [0.1, 0.1, 0.8], None])
    assert [(kind, value) for _, kind, value in told] == [
        ("label", "yes"), ("unknown", None), ("abstained", None), ("unknown", None), ("label", None),
    ]  # fmt: skip
    refused = stage.update(9.0, [0.4, 0.3, 0.3])
    assert refused is not None
    assert refused.reason == "the best, 'yes', has 0.400: 0.5 is needed"


def test_probabilities_of_other_labels_are_refused() -> None:
    with pytest.raises(UserError, match="2 probabilities for 3 labels"):
        Classifier(["a", "b", "c"]).update(0.0, [0.5, 0.5])
    with pytest.raises(UserError, match=r"\['d'\]"):
        Classifier(["a"], Thresholds(of={"d": 0.5}))
    with pytest.raises(UserError, match=r"known is 1\.5"):
        Thresholds(known=1.5)


def test_a_label_that_stays_is_detected_once_and_a_silent_one_never() -> None:
    rule = Detection(Levels(0.6, 0.3, timeout_s=5.0), window_s=0.05, refractory_s=0.3)
    one, two, noise = [0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.0, 0.0, 1.0]
    told = said(
        Detector(["one", "two", "noise"], rule, silent=["noise"]), [noise, one, one, one, noise, noise, two]
    )
    assert told == [(0.1, "detected", "one"), (0.6, "detected", "two")]


def test_of_two_labels_at_once_the_most_probable_is_detected() -> None:
    rule = Detection(Levels(0.4, 0.3, timeout_s=5.0), window_s=0.05)
    assert said(Detector(["one", "two"], rule), [[0.45, 0.55]]) == [(0.0, "detected", "two")]


def test_refractory_silences_each_value_or_all_of_a_kind() -> None:
    decisions = [Decision(0.0, "detected", v) for v in ("a", "b", "a")]
    assert [v for _, _, v in said(Refractory(0.25), decisions)] == ["a", "b"]
    assert [v for _, _, v in said(Refractory(0.25, each=False), decisions)] == ["a"]
    loss = Decision(0.0, "detected", None, reason="a gap")
    assert len(said(Refractory(9.0), [loss, loss])) == 2


def test_a_tracked_number_is_the_median_and_goes_when_it_is_no_longer_measured() -> None:
    stage = MedianTracker(Tracking(window_s=0.35, timeout_s=0.5, low=30, high=220), "heart rate")
    told = said(stage, [60, 61, 200, 0, 255, None, None, None, None, 70])
    assert told == [
        (0.0, "measured", 60.0), (0.1, "measured", 61.0), (0.2, "measured", 61.0), (0.7, "lost", None),
        (0.9, "measured", 70.0),
    ]  # fmt: skip


def test_a_number_from_before_a_break_does_not_count() -> None:
    stage = MedianTracker(Tracking(window_s=60, timeout_s=1.0))
    stage.update(0.0, 10.0)
    after = stage.update(5.0, 90.0)
    assert after is not None
    assert after.value == 90.0


def test_a_stage_refuses_a_time_that_is_none() -> None:
    with pytest.raises(ValueError, match="nan"):
        MedianTracker(Tracking(1, 1)).update(math.nan, 1.0)
    assert np.isfinite(MedianTracker(Tracking(1, 1)).timeout_s)

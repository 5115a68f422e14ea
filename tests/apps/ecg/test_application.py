"""The whole ECG on drawn hearts: what it says, when, and what it does not say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.application import RunOptions
from pintsize.apps.ecg.application import APPLICATION
from pintsize.apps.ecg.pieces import Pieces
from pintsize.errors import OfflineRefusal
from pintsize.stream.block import Block
from pintsize.stream.decision import Decision
from pintsize.stream.faults import FAULTS
from pintsize.stream.faulty import Faulty
from pintsize.stream.sinks import Broker, JsonLinesSink, MqttSink, Place
from tests.apps.ecg.hearts import counts, heart, steady
from tests.apps.ecg.playing import Leads, Played, millivolts, played

#: normal beats, one early, a run of ventricular ones, normal beats
SESSION = [
    *steady(12), ("V", 0.5), ("N", 1.1), ("N", 0.8), ("S", 0.55), ("N", 0.9), *[("V", 0.4)] * 4, ("N", 1.2), *steady(8),
]  # fmt: skip
#: the detector learns for 2 s, the classifier for 8 beats
LEARNING = 8


def names(done: Played) -> str:
    return "".join("?" if value is None else str(value) for value in done.values("beat"))


def test_each_beat_is_found_where_it_is_and_named(hearts: Pieces) -> None:
    done = played(Leads(counts(heart(SESSION))), hearts)
    wanted = "".join(name for name, _ in SESSION)
    assert names(done) == "?" * LEARNING + wanted[LEARNING:]
    peaks_s = np.cumsum([interval for _, interval in SESSION])
    found_s = [beat.start_s for beat in done.of("beat") if beat.start_s is not None]
    np.testing.assert_allclose(found_s, peaks_s, atol=0.06)


def test_a_beat_is_told_within_a_second(hearts: Pieces) -> None:
    done = played(Leads(counts(heart(SESSION))), hearts)
    late_s = [beat.time_s - (beat.start_s or 0.0) for beat in done.of("beat") if beat.time_s > 3]
    assert 0 < min(late_s) < max(late_s) < 1.0


def test_a_tachycardia_is_told_while_it_lasts_and_is_urgent(hearts: Pieces) -> None:
    done = played(Leads(counts(heart(SESSION))), hearts)
    run, over = done.of("finding")
    assert (run.value, over.value) == ("ventricular tachycardia", "ventricular run over")
    assert dict(run.slots) == {"length_s": "0.80", "beats": "3", "bpm": "150.0"}
    assert run.time_s < sum(interval for _, interval in SESSION[:-10])
    assert done.triage == "urgent"
    assert "ventricular tachycardia: 1 run," in (done.of("triage")[0].reason or "")
    assert ("notice", "A screening aid, not a diagnosis") in done.of("triage")[0].slots


def test_a_steady_heart_is_normal_with_its_rate(hearts: Pieces) -> None:
    done = played(Leads(counts(heart(steady(60)))), hearts)
    assert done.triage == "normal"
    assert done.values("rate")[1:] == [pytest.approx(75.0, abs=0.3)] * len(done.values("rate")[1:])
    assert done.values("rhythm") == [pytest.approx(75.0, abs=0.2)]
    assert (
        done.report.stages[0].runs == len(done.of("beat")) - done.study.recorded.counts.abstained + LEARNING
    )


def test_ten_seconds_are_enough_for_a_rate_and_nine_are_not(hearts: Pieces) -> None:
    made = counts(heart(steady(12)))
    ten = played(Leads(made[:1800]), hearts)
    assert ten.triage == "normal"
    assert ten.values("rhythm") == [pytest.approx(75.0, abs=0.5)]
    nine = played(Leads(made[:1740]), hearts)
    assert nine.triage == "repeat"
    assert "10 s are needed" in (nine.of("triage")[0].reason or "")


@pytest.mark.parametrize("rate_hz", [250, 360, 500])
def test_other_rates_are_converted_and_say_the_same(rate_hz: int, hearts: Pieces) -> None:
    done = played(millivolts(heart(SESSION, rate_hz=rate_hz), rate_hz), hearts)
    assert done.triage == "urgent"
    assert names(done)[LEARNING:].count("V") == 5


def test_a_reversed_lead_is_told_and_is_to_be_repeated(hearts: Pieces) -> None:
    done = played(Leads(counts(-heart(steady(30)))), hearts)
    assert done.values("lead") == ["reversed suspected"]
    assert done.triage == "repeat"
    assert "reversed lead suspected" in (done.of("triage")[0].reason or "")


def test_a_pause_and_a_standstill_are_told(hearts: Pieces) -> None:
    pause = played(Leads(counts(heart([*steady(12), ("N", 2.6), *steady(5)]))), hearts)
    assert "pause" in pause.values("finding")
    still = heart([*steady(12), ("N", 8.0)])
    done = played(Leads(counts(still)), hearts)
    standstill = next(d for d in done.of("finding") if d.value == "no beat")
    assert standstill.time_s == pytest.approx(12 + 5, abs=0.4)
    assert done.triage == "urgent"


def test_bad_signal_is_not_judged_and_nothing_is_measured_over_it(hearts: Pieces) -> None:
    made = heart(steady(40))
    made[20 * 180 : 24 * 180] += np.random.default_rng(0).normal(0, 0.5, 4 * 180)
    done = played(Leads(counts(made)), hearts)
    _, bad, *_, good = done.of("quality")
    assert (bad.value, good.value) == (None, "ok")
    assert 20 < bad.time_s < 22 < 24 < good.time_s < 27
    assert "noise" in (bad.reason or "")
    inside = [b for b in done.of("beat") if bad.time_s < b.time_s < good.time_s]
    assert inside == []
    assert done.of("finding") == []
    assert {d.reason for d in done.of("rate") if d.value is None} == {bad.reason}
    assert done.study.recorded.counts.longest_pause == 0


def test_a_signal_that_is_mostly_bad_is_to_be_repeated(hearts: Pieces) -> None:
    made = heart(steady(60))
    made[15 * 180 : 50 * 180] += 0.3 * np.sin(2 * np.pi * 50 * np.arange(35 * 180) / 180)
    done = played(Leads(counts(made)), hearts)
    assert done.triage == "repeat"
    assert "% of the signal are not usable" in (done.of("triage")[0].reason or "")


@pytest.mark.parametrize(
    "made", [np.zeros(40 * 180, np.int16), np.zeros((0, 1), np.int16), np.full(90, 5, np.int16)]
)
def test_a_lead_that_is_off_is_to_be_repeated(made: np.ndarray, hearts: Pieces) -> None:
    done = played(Leads(made), hearts)
    assert done.of("beat") == done.of("rate") == []
    assert done.study.triage.name == "repeat"


class Interrupted(Leads):
    """5 s are missing before the 200th block."""

    def blocks(self) -> Iterator[Block]:
        for block in super().blocks():
            late = block.index >= 200
            yield replace(
                block,
                start_s=block.start_s + (5.0 if late else 0.0),
                gap_before_s=5.0 if block.index == 200 else 0.0,
            )


def test_a_gap_begins_everything_anew(hearts: Pieces) -> None:
    done = played(Interrupted(counts(heart(steady(40)))), hearts)
    gap_s = next(d.time_s for d in done.of("health") if d.value is None)
    after = [beat for beat in done.of("beat") if beat.time_s > gap_s]
    assert [beat.value for beat in after[:LEARNING]] == [None] * LEARNING
    assert after[LEARNING].value == "N"
    assert done.study.recorded.counts.pauses == 0
    assert [d.value for d in done.of("rate") if d.time_s < gap_s][-1] is None
    assert done.study.recorded.total == pytest.approx(45.5 * 180, abs=40)


def test_a_source_that_breaks_is_told_and_its_study_stays(hearts: Pieces) -> None:
    done = played(Leads(counts(heart(steady(30))), lost="the cable is out"), hearts)
    assert "the cable is out" in done.report.run.run.ended
    assert done.of("rate")[-1].value is None
    assert done.study.triage.name == "normal"
    assert len(done.study.beats) > 30


@pytest.mark.parametrize(
    ("fault", "unit"), [*((fault, "counts") for fault in FAULTS), ("nan", "mV"), ("clip", "mV")]
)
def test_a_fault_is_stated_and_nothing_stale_is_said(fault: str, unit: str, hearts: Pieces) -> None:
    made = heart(SESSION * 2)
    source = Leads(counts(made)) if unit == "counts" else millivolts(made)
    done = played(Faulty(source, (fault,), seed=3), hearts)
    without = [d for d in done.heard if d.value is None]
    assert all(d.reason for d in without)
    assert [d for d in without if d.kind in ("health", "quality")], f"{fault} was not seen"
    assert done.of("beat"), "it recovered"
    assert done.of("triage")
    assert_no_rate_spans_a_fault(done.heard)
    assert_no_beat_is_judged_in_bad_signal(done.heard)


def assert_no_rate_spans_a_fault(heard: tuple[Decision, ...]) -> None:
    """After a fault the rate is not told again before it was told to be gone, or was never told."""
    told = bad = False
    for decision in heard:
        if decision.kind == "rate":
            told, bad = decision.value is not None, False
        elif decision.kind in ("health", "quality") and decision.value is None and told:
            bad = True
        elif decision.kind == "beat" and bad:
            raise AssertionError(f"{decision} while a rate from before a fault still stood")


def assert_no_beat_is_judged_in_bad_signal(heard: tuple[Decision, ...]) -> None:
    quality = True
    for decision in heard:
        if decision.kind == "quality":
            quality = decision.value is not None
        if decision.kind == "beat":
            assert quality, f"{decision} in signal that is not fit"


def test_a_replay_is_the_same_byte_for_byte(hearts: Pieces, tmp_path: Path) -> None:
    made: list[tuple[bytes, str]] = []
    for name in ("first", "second"):
        sink = JsonLinesSink(tmp_path / name)
        report = APPLICATION.run(Leads(counts(heart(SESSION))), [sink], RunOptions(), hearts)
        made.append(((tmp_path / name).read_bytes(), report.as_json(wall_clock=False)))
    assert made[0] == made[1]
    assert made[0][0].count(b'"kind": "beat"') == len(SESSION)


def test_a_sink_that_leaves_is_refused(hearts: Pieces) -> None:
    sink = MqttSink(Broker("localhost"), Place("ecg"), ())
    with pytest.raises(OfflineRefusal):
        APPLICATION.run(Leads(counts(heart(steady(2)))), [sink], RunOptions(), hearts)

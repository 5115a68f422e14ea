"""The whole application on made signals: every fault, twice the same, nothing stale, the reason always said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.application import RunOptions
from pintsize.apps.wearable.alerts import HIGH, AlertRule
from pintsize.apps.wearable.application import APPLICATION
from pintsize.apps.wearable.heart import INVERTED
from pintsize.apps.wearable.parts import NO_REST, names_of
from pintsize.apps.wearable.wearer import Wearer
from pintsize.errors import DataError, OfflineRefusal, SourceLost
from pintsize.stream.block import Block
from pintsize.stream.decision import Decision
from pintsize.stream.faults import FAULTS
from pintsize.stream.faulty import Faulty
from pintsize.stream.recording import Recorder, Recording, make_key, read_key
from pintsize.stream.sinks import CallbackSink, JsonLinesSink
from pintsize.stream.source import Source
from pintsize.stream.sources import open_source
from tests.apps.wearable.making import Worn, beats_at, electrocardiogram, pulse, resting

#: a rate may be told for so long after the last signal that it rests on
LATEST_S = 10.0


def ppg(seconds: float = 60.0, bpm: float = 72.0) -> Worn:
    return Worn(["ppg"], [1000 * pulse(beats_at(bpm, seconds), seconds, 50)], 50.0)


def with_motion(
    seconds: float = 90.0, shaken: tuple[float, float] = (1e9, 1e9), gravity: float = 1.0
) -> Worn:
    axes = np.array(resting(50.0, seconds, gravity))
    at_s = np.arange(axes.shape[1]) / 50
    inside = (at_s >= shaken[0]) & (at_s < shaken[1])
    axes[:, inside] += gravity * np.random.default_rng(1).standard_normal((3, int(inside.sum())))
    wave = pulse(beats_at(72, seconds), seconds, 50)
    return Worn(["acc_x", "acc_y", "acc_z", "ppg"], [*axes, wave], 50.0)


def ecg(seconds: float = 60.0) -> Worn:
    return Worn(["ECG"], [electrocardiogram(beats_at(72, seconds), seconds, 125)], 125.0)


def strap(seconds: int = 120) -> Worn:
    rates = 70.0 + np.arange(seconds) % 5
    return Worn(["heart_rate", "contact"], [rates, np.ones(seconds)], 1.0)


#: a sensor's rate that stays for 40 s, or is a few beats lower, looks like one that is right
UNSEEN = {("strap", "stuck"), ("strap", "clip")}
SOURCES = {"ppg": ppg, "motion": with_motion, "ecg": ecg, "strap": strap}


def decided(source: Source, wearer: Wearer | None = None) -> list[Decision]:
    told: list[Decision] = []
    APPLICATION.run(source, [CallbackSink(told.append)], RunOptions(), wearer)
    return told


def of(told: list[Decision], kind: str) -> list[Decision]:
    return [decision for decision in told if decision.kind == kind]


@pytest.mark.parametrize("kind", list(SOURCES))
def test_the_rate_is_told_with_its_zone(kind: str) -> None:
    told = decided(SOURCES[kind]())
    rates = [d.value for d in of(told, "heart_rate") if isinstance(d.value, float)]
    assert rates
    assert all(66 <= rate <= 78 for rate in rates)
    assert of(told, "zone")[0].value == "rest"


def assert_nothing_stale(told: list[Decision]) -> None:
    """A rate that is told is followed within its time by another one, by None, or by the end."""
    for decision in told:
        assert decision.value is not None or decision.reason
        assert np.isfinite(decision.time_s)


@pytest.mark.parametrize("fault", list(FAULTS))
@pytest.mark.parametrize("kind", list(SOURCES))
def test_every_fault_is_borne_and_told(kind: str, fault: str, tmp_path: Path) -> None:
    told = decided(Faulty(SOURCES[kind](), (fault,), seed=3))
    assert_nothing_stale(told)
    rates = [d.value for d in of(told, "heart_rate") if isinstance(d.value, float)]
    assert all(25 <= rate <= 230 for rate in rates)
    if (kind, fault) not in UNSEEN:
        assert any(d.value is None and d.reason for d in told if d.kind in ("health", "heart_rate"))


@pytest.mark.parametrize("kind", list(SOURCES))
def test_a_replay_is_the_same_byte_for_byte(kind: str, tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        sink = JsonLinesSink(tmp_path / name)
        report = APPLICATION.run(Faulty(SOURCES[kind](), tuple(FAULTS), seed=5), [sink], RunOptions())
        written.append((report.as_json(wall_clock=False), (tmp_path / name).read_bytes()))
    assert written[0] == written[1]
    assert written[0][1]


def test_a_pulse_that_is_lost_is_none_within_seconds() -> None:
    wave = 1000 * pulse(beats_at(72, 40), 40, 50)
    told = decided(Worn(["ppg"], [np.concatenate([wave, np.full(50 * 30, wave[-1])])], 50.0))
    lost = [d for d in of(told, "heart_rate") if d.value is None and d.time_s > 15]
    assert len(lost) == 1
    assert 40 <= lost[0].time_s <= 40 + LATEST_S + 3
    assert "stuck" in (lost[0].reason or "")


def test_an_inverted_pulse_is_told_as_such() -> None:
    source = ppg()
    source.samples = -source.samples
    said: list[str] = []
    _, day = APPLICATION.run_day(source, [CallbackSink(lambda d: said.append(d.kind))])
    assert INVERTED in day.notes
    assert 66 <= np.median([beat.bpm for beat in day.rates]) <= 78


def test_a_shaken_wrist_has_no_pulse_rate_and_the_reason_is_motion() -> None:
    _, day = APPLICATION.run_day(with_motion(90, shaken=(40, 60)), [])
    assert any(beat.time_s < 40 for beat in day.rates)
    assert not any(46 <= beat.time_s <= 60 for beat in day.rates)
    assert any("motion" in reason for reason in day.without)


@pytest.mark.parametrize(("gravity", "unit"), [(1.0, "g"), (9.81, "m/s²"), (1000.0, "mg")])
def test_the_unit_of_the_accelerometer_is_told(gravity: float, unit: str) -> None:
    told = decided(with_motion(20, gravity=gravity))
    assert [d.value for d in of(told, "unit")] == [unit]


def test_without_gravity_the_unit_is_not_guessed() -> None:
    told = decided(with_motion(20, gravity=3.3))
    assert of(told, "unit") == []
    assert any("gravity should be" in (d.reason or "") for d in of(told, "health"))


def test_a_high_rate_at_rest_is_an_alert_only_where_rest_is_known() -> None:
    fast = Worn(["heart_rate"], [np.full(120, 140.0) + np.arange(120) % 2], 1.0)
    rule = Wearer(alerts=AlertRule(hold_s=30), rests=True)
    assert [d.value for d in of(decided(fast, rule), "alert")] == [HIGH]
    assert of(decided(fast, Wearer(alerts=AlertRule(hold_s=30))), "alert") == []
    _, day = APPLICATION.run_day(fast, [])
    assert NO_REST in day.notes


def test_rest_is_seen_by_the_accelerometer() -> None:
    axes = resting(10.0, 200)
    fast = Worn(["hr", "acc_x", "acc_y", "acc_z"], [np.full(2000, 140.0) + np.arange(2000) % 2, *axes], 10.0)
    alerts = of(decided(fast, Wearer(alerts=AlertRule(hold_s=30))), "alert")
    assert [d.value for d in alerts] == [HIGH]
    assert alerts[0].time_s >= 60  # a minute of rest comes first


class Breaking(Worn):
    """Goes away in the middle."""

    def blocks(self):
        for number, block in enumerate(super().blocks()):
            if number == 30:
                raise SourceLost("the strap went away")
            yield block


def test_a_source_that_breaks_ends_what_was_told() -> None:
    told: list[Decision] = []
    report = APPLICATION.run(Breaking(["hr"], [np.full(60, 70.0)], 1.0), [CallbackSink(told.append)])
    assert "went away" in report.run.run.ended
    assert told[-1].value is None
    assert [d.reason for d in of(told, "heart_rate") if d.value is None] == ["the strap went away"]


def test_heartbeats_make_a_rate_stale() -> None:
    class Silent(Worn):
        def blocks(self):
            yield from super().blocks()
            for number in range(10):
                yield Block(np.zeros((0, 1), np.float32), 60.0 + 3 * number, 1.0)

    told = decided(Silent(["hr"], [np.full(60, 70.0)], 1.0))
    lost = [d for d in of(told, "heart_rate") if d.value is None]
    assert len(lost) == 1
    assert "no samples for" in (lost[0].reason or "")
    assert lost[0].time_s <= 60 + LATEST_S + 3


def test_what_was_worn_can_be_kept_and_replayed(tmp_path: Path) -> None:
    key, kept = tmp_path / "key", tmp_path / "kept.pintsize"
    make_key(key)
    source = strap(60)
    first: list[Decision] = []
    options = RunOptions(recorder=Recorder(kept, read_key(key), source))
    APPLICATION.run(source, [CallbackSink(first.append)], options)
    assert b"heart_rate" not in kept.read_bytes()
    again: list[float] = []
    with Recording(kept, read_key(key)) as replayed:
        again.extend(float(block.samples[0, 0]) for block in replayed.blocks())
    assert again == source.samples[:, 0].tolist()


def test_a_session_of_a_strap_runs_from_its_file(tmp_path: Path) -> None:
    lines = [f"{second}.5 06 {60 + second % 4:02x}" for second in range(40)]
    lines += [f"{second}.5 04 {60:02x}" for second in range(40, 60)]
    lines += ["60 disconnected", "90 connected"]
    lines += [f"{second}.5 06 {61:02x}" for second in range(90, 120)]
    (tmp_path / "strap.ble").write_text("\n".join(lines))
    told = decided(open_source(str(tmp_path / "strap.ble")))
    reasons = [d.reason or "" for d in of(told, "heart_rate") if d.value is None]
    assert reasons == ["no contact with the skin", "the signal ended"]
    assert any("30.000 s are missing" in (d.reason or "") for d in of(told, "health"))
    assert of(told, "heart_rate")[-2].value == 61.0


def test_a_signal_that_is_too_slow_is_refused_with_what_is_needed() -> None:
    with pytest.raises(DataError, match="15 Hz"):
        decided(Worn(["ppg"], [np.sin(np.arange(100.0))], 5.0))


def test_a_live_run_decides_as_a_replay_does() -> None:
    live: list[Decision] = []
    APPLICATION.run(strap(), [CallbackSink(live.append)], RunOptions(live=True))
    assert live == decided(strap())


def test_a_signal_that_is_too_short_says_so() -> None:
    told = decided(ppg(5))
    assert [d.value for d in of(told, "heart_rate")] == [None]
    assert "not whole yet" in str(told[0].reason)


def test_a_sink_that_leaves_the_device_is_refused() -> None:
    with pytest.raises(OfflineRefusal):
        APPLICATION.run(strap(), [CallbackSink(print, leaves_device=True)])


def test_names_are_found_through_what_wraps_a_source() -> None:
    assert names_of(Faulty(with_motion(10), ("gap",))) == ("acc_x", "acc_y", "acc_z", "ppg")


def test_the_report_tells_what_ran(tmp_path: Path) -> None:
    report = APPLICATION.run(ppg(30), [])
    content = json.loads(report.as_json())
    assert content["run"]["steps"] == 30
    assert content["stages"][0]["runs"] == 30
    assert content["run"]["energy"]["mj_per_hour"] > 0

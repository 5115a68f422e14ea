"""The loop, with a program that is small enough to know what it must say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pintsize.errors import DataError, OfflineRefusal, ToolError, UserError
from pintsize.stream.artifact import load
from pintsize.stream.block import Block
from pintsize.stream.convert import Conversion
from pintsize.stream.decision import Decision, Hysteresis, Levels
from pintsize.stream.overload import Overload
from pintsize.stream.report import RunReport
from pintsize.stream.run import run
from pintsize.stream.settings import Settings
from pintsize.stream.sinks import CallbackSink, JsonLinesSink, Keeping
from tests.stream.scripted import RATE_HZ, Scripted, blocks_of, wave
from tests.stream.tiny_artifact import TRAP, write_tiny


class Everything:
    """Says every step's outputs; `value` is the number of runs since the model began anew."""

    def __init__(self) -> None:
        self.told: list[tuple[float, NDArray[np.float32] | None]] = []
        self.resets: list[str] = []

    def update(self, time_s: float, value: NDArray[np.float32] | None) -> Sequence[Decision]:
        self.told.append((round(time_s, 6), value))
        if value is None:
            return [Decision(time_s, "step", None, reason="unfit")]
        return [Decision(time_s, "step", float(value[2] / 0.125))]

    def reset(self, reason: str) -> Decision | None:
        self.resets.append(reason)
        return None

    def finish(self, time_s: float) -> Decision | None:
        return Decision(time_s, "end", "end")


class Up:
    """On while the first output is high."""

    def __init__(self) -> None:
        self.stage = Hysteresis(Levels(on=6.0, off=2.0, timeout_s=1.0), "up")

    def update(self, time_s: float, value: NDArray[np.float32] | None) -> Decision | None:
        return self.stage.update(time_s, None if value is None else float(value[0]))

    def reset(self, reason: str) -> Decision | None:
        return self.stage.reset(reason)

    def finish(self, time_s: float) -> Decision | None:
        return self.stage.finish(time_s)


def played(
    folder: Path, source: Scripted, decider: Everything | Up, settings: Settings | None = None
) -> tuple[list[Decision], RunReport]:
    heard: list[Decision] = []
    artifact = load(write_tiny(folder / "artifact"))
    report = run(source, artifact, decider, [CallbackSink(heard.append)], settings)
    assert source.closed
    return heard, report


def test_every_window_is_decided_on_at_its_end(tmp_path: Path) -> None:
    decider = Everything()
    heard, report = played(tmp_path, Scripted(blocks_of(wave(0.5))), decider)
    assert [t for t, _ in decider.told] == [round(0.04 * (i + 1), 6) for i in range(12)]
    assert [d.value for d in heard] == [float(i + 1) for i in range(12)] + ["end"]
    told = report.run
    assert (told.samples, told.blocks, told.steps, told.signal_s) == (50, 5, 12, 0.5)
    assert (told.dropped_samples, told.skipped_steps, told.resets, told.ended) == (
        0,
        0,
        0,
        "the source's end",
    )
    assert told.deadline_ms == 40.0
    assert report.wall_clock.step.count == 12


def test_windows_may_overlap(tmp_path: Path) -> None:
    decider = Everything()
    played(tmp_path, Scripted(blocks_of(wave(0.1), length=3)), decider, Settings(hop_samples=2))
    assert [t for t, _ in decider.told] == [0.04, 0.06, 0.08, 0.1]


def test_int16_samples_are_codes_and_real_ones_are_quantized_to_the_same(tmp_path: Path) -> None:
    plain, real = Everything(), Everything()
    played(tmp_path, Scripted(blocks_of(wave(1))), plain)
    played(tmp_path, Scripted(blocks_of(wave(1))), real, Settings(Conversion(scale="real")))
    assert [v.tolist() for _, v in plain.told if v is not None] == [
        v.tolist() for _, v in real.told if v is not None
    ]


def test_full_scale_is_one_to_the_model_whatever_the_samples_type(tmp_path: Path) -> None:
    coarse = load(
        write_tiny(tmp_path, input={"shape": [4], "dtype": "int16", "scale": 1 / 1024, "zero_point": 256})
    )
    decider = Everything()
    run(Scripted(blocks_of(np.full((8, 1), 16384, np.int16))), coarse, decider, [])
    assert [None if v is None else v[0] / 0.125 for _, v in decider.told] == [3.0, 3.0], (
        "0.5 · 1024 + 256, its high byte"
    )


def test_a_replay_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    artifact = load(write_tiny(tmp_path))
    broken = blocks_of(wave(2, 32000, 1)) + blocks_of(wave(3, 32000, 2), 2.7)
    settings = Settings(modelled_step_s=0.05, overload=Overload(limit_s=0.2))
    files, reports = [], []
    for name in ("a", "b"):
        sink = JsonLinesSink(tmp_path / name)
        reports.append(run(Scripted(broken), artifact, Up(), [sink], settings))
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1]
    assert len(files[0].splitlines()) > 20
    assert reports[0].as_json(wall_clock=False) == reports[1].as_json(wall_clock=False)
    assert json.loads(reports[0].as_json())["wall_clock"]["step"]["count"] == reports[0].run.steps


def test_a_gap_resets_all_state_and_no_value_outlives_it(tmp_path: Path) -> None:
    high = np.full((20, 1), 20000, np.int16) + wave(0.2, 50)
    before, after = blocks_of(high), blocks_of(high, 5.0)
    after[0] = replace(after[0], gap_before_s=4.8)
    heard, report = played(tmp_path, Scripted(before + after), Up())
    assert [(d.kind, d.value) for d in heard] == [
        ("began", "up"), ("lost", None), ("health", None), ("began", "up"), ("health", "ok"), ("ended", "up"),
    ]  # fmt: skip
    assert "missing" in str(heard[1].reason)
    assert report.run.resets == 1
    assert report.run.faults == {"gap": 1}


def test_after_a_gap_the_model_itself_begins_anew(tmp_path: Path) -> None:
    after = blocks_of(wave(0.2), 9.0)
    after[0] = replace(after[0], gap_before_s=8.0)
    decider = Everything()
    heard, _ = played(tmp_path, Scripted(blocks_of(wave(0.2)) + after), decider)
    assert [d.value for d in heard if d.kind == "step"] == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]
    assert all(value is not None for _, value in decider.told)
    assert len(decider.resets) == 1


def test_samples_that_are_not_to_be_used_give_no_value_but_the_reason(tmp_path: Path) -> None:
    blocks = blocks_of(wave(0.4).astype(np.float32))
    blocks[2].samples[3] = np.nan
    decider = Everything()
    heard, report = played(tmp_path, Scripted(blocks), decider, Settings(Conversion(scale="real")))
    said = [d for d in heard if d.kind == "health"]
    assert [d.value for d in said] == [None, "ok"]
    assert "not numbers" in str(said[0].reason)
    assert [v is None for _, v in decider.told].count(True) == 1
    assert report.run.faults["nan"] == 1
    assert report.run.resets == 1


def test_a_flat_line_gives_none_with_the_reason_and_recovers(tmp_path: Path) -> None:
    flat = np.zeros((300, 1), np.int16)
    samples = np.concatenate([wave(1), flat, wave(1, seed=5)])
    decider = Everything()
    heard, report = played(tmp_path, Scripted(blocks_of(samples)), decider)
    assert report.run.faults["flat"] > 5
    assert report.run.without_value > 20
    late = [v for t, v in decider.told if 2.5 < t < 3.9]
    assert late
    assert all(v is None for v in late)
    assert decider.told[-1][1] is not None
    assert [d.value for d in heard if d.kind == "health"] == [None, "ok"]


def test_a_silent_source_is_no_reason_to_keep_the_last_value(tmp_path: Path) -> None:
    high = np.full((20, 1), 20000, np.int16) + wave(0.2, 50)
    beat = Block(np.zeros((0, 1), np.int16), 1.2, RATE_HZ)
    heard, _ = played(tmp_path, Scripted([*blocks_of(high), beat]), Up())
    assert [(d.kind, d.value) for d in heard] == [("began", "up"), ("health", None), ("lost", None)]
    assert "no samples" in str(heard[1].reason)


def test_a_source_that_breaks_loses_nothing_that_came_before(tmp_path: Path) -> None:
    high = np.full((20, 1), 20000, np.int16) + wave(0.2, 50)
    heard, report = played(tmp_path, Scripted(blocks_of(high), lost="microphone unplugged"), Up())
    assert [(d.kind, d.value) for d in heard] == [("began", "up"), ("lost", None), ("health", None)]
    assert report.run.steps == 5
    assert report.run.ended == "the source was lost: microphone unplugged"


def test_clips_of_a_folder_are_each_decided_on_their_own(tmp_path: Path) -> None:
    clips = blocks_of(wave(0.2), origin="a.wav") + blocks_of(wave(0.2, seed=1), origin="b.wav")
    heard, report = played(tmp_path, Scripted(clips), Everything())
    assert [d.value for d in heard] == [1, 2, 3, 4, 5, "end", 1, 2, 3, 4, 5, "end"]
    assert report.run.resets == 0


def test_another_rate_is_converted_when_asked_for(tmp_path: Path) -> None:
    decider = Everything()
    settings = Settings(Conversion(rate_hz=50.0))
    _, report = played(tmp_path, Scripted(blocks_of(wave(4))), decider, settings)
    assert report.run.steps == 50
    assert report.run.deadline_ms == 80.0


def test_a_wrong_number_of_channels_is_refused_before_anything_runs(tmp_path: Path) -> None:
    source = Scripted(blocks_of(np.zeros((40, 3), np.int16)), channels=3)
    with pytest.raises(UserError, match="4 numbers, the source has 3 channels"):
        run(source, load(write_tiny(tmp_path)), Everything(), [])
    with pytest.raises(DataError, match="not int16 \\(5, 1\\)"):
        run(
            Scripted(blocks_of(wave(1))),
            load(write_tiny(tmp_path)),
            Everything(),
            [],
            Settings(window_samples=5),
        )


def test_a_program_that_traps_ends_the_run_with_everything_closed(tmp_path: Path) -> None:
    samples = wave(0.4)
    samples[20] = TRAP
    heard: list[Decision] = []
    source = Scripted(blocks_of(samples))
    with pytest.raises(ToolError, match="unreachable"):
        run(source, load(write_tiny(tmp_path)), Everything(), [CallbackSink(heard.append)])
    assert len(heard) == 5
    assert source.closed


def test_a_sink_that_leaves_the_device_is_refused_before_anything_was_sent(tmp_path: Path) -> None:
    heard: list[Decision] = []
    sink = CallbackSink(heard.append, "cloud", leaves_device=True)
    artifact = load(write_tiny(tmp_path))
    with pytest.raises(OfflineRefusal, match="cloud would leave this device"):
        run(Scripted(blocks_of(wave(1))), artifact, Everything(), [sink])
    assert heard == []
    run(Scripted(blocks_of(wave(1))), artifact, Everything(), [sink], Settings(offline=False))
    assert heard


def test_two_outboxes_never_share_a_file(tmp_path: Path) -> None:
    sinks = [CallbackSink(print, "a lamp"), CallbackSink(print, "a-lamp"), CallbackSink(print, "a_lamp")]
    keeping, artifact = Settings(keeping=Keeping(tmp_path / "outbox")), load(write_tiny(tmp_path))
    with pytest.raises(UserError, match="share a file"):
        run(Scripted(blocks_of(wave(1))), artifact, Everything(), sinks, keeping)
    assert not (tmp_path / "outbox").exists()


def test_too_slow_a_device_skips_steps_by_the_stated_rule_and_says_so(tmp_path: Path) -> None:
    settings = Settings(modelled_step_s=0.1, overload=Overload(limit_s=0.5, most_stride=8))
    heard, report = played(tmp_path, Scripted(blocks_of(wave(20))), Everything(), settings)
    told = report.run
    strides = [d.value for d in heard if d.kind == "overload"]
    assert strides
    assert set(strides) <= {1.0, 2.0, 4.0, 8.0}
    assert told.steps + told.skipped_steps == 500
    assert 0.35 * 500 < told.steps < 0.45 * 500, "0.1 s a step: 40 % of the steps every 0.04 s"
    assert told.modelled_missed_deadlines == told.steps
    assert "one step in 2, 4, … is computed, in 8 at most" in told.overload_rule
    assert told.overload_from_s[0] < 1.0
    assert told.dropped_samples == 0


def test_a_device_that_is_fast_enough_skips_nothing(tmp_path: Path) -> None:
    _, report = played(tmp_path, Scripted(blocks_of(wave(2))), Everything(), Settings(modelled_step_s=0.039))
    assert (report.run.skipped_steps, report.run.modelled_missed_deadlines) == (0, 0)


def test_a_model_with_state_leaves_out_all_that_is_late_and_begins_anew(tmp_path: Path) -> None:
    artifact = load(write_tiny(tmp_path, stateful=True))
    decider, heard = Everything(), list[Decision]()
    settings = Settings(modelled_step_s=0.05, overload=Overload(limit_s=0.2))
    report = run(Scripted(blocks_of(wave(5))), artifact, decider, [CallbackSink(heard.append)], settings)
    assert report.run.skipped_steps > 5
    assert len(decider.resets) == report.run.resets > 1
    assert "overload" in decider.resets[0]
    assert max(d.value for d in heard if d.kind == "step" and isinstance(d.value, float)) < 50


def test_a_newest_wins_source_drops_what_comes_while_a_step_is_computed(tmp_path: Path) -> None:
    source = Scripted(blocks_of(wave(2)), lossless=False)
    _, report = played(tmp_path, source, Everything(), Settings(modelled_step_s=0.1))
    assert report.run.dropped_samples == 4 * (50 - report.run.steps)
    assert report.run.steps == 17
    assert "newest" in report.run.overload_rule


def test_energy_is_that_of_the_steps_and_none_has_its_reason(tmp_path: Path) -> None:
    _, report = played(tmp_path, Scripted(blocks_of(wave(4))), Everything())
    assert report.run.energy.mj_per_hour == pytest.approx(0.02 * 25 * 3600)
    assert "estimated" in report.run.energy.how
    unknown = load(write_tiny(tmp_path / "x", metrics={"energy_mj": None}))
    told = run(Scripted(blocks_of(wave(4))), unknown, Everything(), []).run.energy
    assert told.mj_per_hour is None
    assert "raspberrypi4" in told.how
    priced = run(
        Scripted(blocks_of(wave(4))), unknown, Everything(), [], Settings(mj_per_step=1.0)
    ).run.energy
    assert priced.mj_per_hour == pytest.approx(90_000)


def test_a_live_run_decides_what_a_replay_decides(tmp_path: Path) -> None:
    replayed, _ = played(tmp_path, Scripted(blocks_of(wave(2))), Everything())
    live = Settings(live=True, overload=Overload(limit_s=60))
    heard, report = played(tmp_path, Scripted(blocks_of(wave(2))), Everything(), live)
    assert heard == replayed
    assert report.wall_clock.behind.count == report.run.steps


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(UserError, match="for replays"):
        Settings(live=True, modelled_step_s=0.1)
    with pytest.raises(UserError, match="deadline"):
        Settings(deadline_s=0.0)

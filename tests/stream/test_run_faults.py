"""Every fault of the injector through the whole loop: no crash, no stale value, and the reason stated."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pintsize.stream.artifact import Artifact, load
from pintsize.stream.block import Block
from pintsize.stream.convert import Conversion
from pintsize.stream.decision import Decision, MedianTracker, Tracking
from pintsize.stream.faults import FAULTS
from pintsize.stream.faulty import Faulty
from pintsize.stream.health import monitor_of
from pintsize.stream.run import run
from pintsize.stream.settings import Settings
from pintsize.stream.sinks import CallbackSink, JsonLinesSink
from tests.stream.scripted import Scripted, blocks_of, wave
from tests.stream.tiny_artifact import write_tiny

STEP_S = 0.04
TIMEOUT_S = 0.5
SETTINGS = Settings(Conversion(scale="real"))


class Followed:
    """The first output, followed as a number. log: (time, had it a value) of each step, and all that was said."""

    def __init__(self) -> None:
        self.stage = MedianTracker(Tracking(window_s=0.3, timeout_s=TIMEOUT_S))
        self.log: list[tuple[float, bool] | Decision] = []

    def update(self, time_s: float, value: NDArray[np.float32] | None) -> Decision | None:
        self.log.append((time_s, value is not None))
        return self.stage.update(time_s, None if value is None else float(value[0]))

    @property
    def heard(self) -> list[Decision]:
        return [entry for entry in self.log if isinstance(entry, Decision)]

    @property
    def fed(self) -> list[tuple[float, bool]]:
        return [entry for entry in self.log if not isinstance(entry, Decision)]

    def reset(self, reason: str) -> Decision | None:
        return self.stage.reset(reason)

    def finish(self, time_s: float) -> Decision | None:
        return self.stage.finish(time_s)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return load(write_tiny(tmp_path_factory.mktemp("tiny")))


def signal(seconds: float = 20) -> Scripted:
    return Scripted(blocks_of(wave(seconds)))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_gives_none_with_its_reason_and_values_come_again(fault: str, artifact: Artifact) -> None:
    decider = Followed()
    sink = CallbackSink(decider.log.append)
    report = run(Faulty(signal(), (fault,), seed=1), artifact, decider, [sink], SETTINGS)
    heard = decider.heard
    assert report.run.faults, f"{fault} was not seen"
    reasons = [d.reason for d in heard if d.kind == "health" and d.value is None]
    assert reasons
    assert all(reasons)
    assert_nothing_stale(decider)
    assert [d.kind for d in heard if d.kind in ("measured", "lost")][-2:] == ["measured", "lost"], (
        "it recovered"
    )


def test_all_faults_at_once_are_the_same_on_every_run(artifact: Artifact, tmp_path: Path) -> None:
    for name in ("a", "b"):
        sink = JsonLinesSink(tmp_path / name)
        run(Faulty(signal(), tuple(FAULTS), seed=7), artifact, Followed(), [sink], SETTINGS)
    first, second = (tmp_path / name for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    assert len(first.read_bytes().splitlines()) > 100


@settings(max_examples=12)
@given(st.integers(0, 2**32), st.sets(st.sampled_from(list(FAULTS)), min_size=1))
def test_no_mixture_of_faults_leaves_a_stale_value(artifact: Artifact, seed: int, faults: set[str]) -> None:
    decider = Followed()
    sink = CallbackSink(decider.log.append)
    run(Faulty(signal(4), tuple(faults), seed), artifact, decider, [sink], SETTINGS)
    assert_nothing_stale(decider)


def test_while_a_block_is_unfit_no_step_over_it_has_a_value(artifact: Artifact) -> None:
    """The judgement is the monitor's own, taken again here."""
    faulty = Faulty(signal(), ("clip", "flatline", "stuck"), seed=2)
    monitor, unfit = monitor_of(faulty), list[Block]()
    for block in faulty.blocks():
        if not monitor.see(block).ok:
            unfit.append(block)
    decider = Followed()
    run(faulty, artifact, decider, [], SETTINGS)
    assert unfit
    within = [
        has_value
        for time_s, has_value in decider.fed
        if any(b.start_s + 1e-6 < time_s - STEP_S / 2 < b.end_s - 1e-6 for b in unfit)
    ]
    assert within
    assert not any(within)


def assert_nothing_stale(decider: Followed) -> None:
    """Whenever a time was told, who listens then believes no value older than the timeout; none has no reason."""
    now_s, believed_s = -math.inf, None
    for entry, following in pairwise([*decider.log, (math.inf, False)]):
        if isinstance(entry, Decision):
            assert entry.value is not None or entry.reason
            believed_s = {"measured": entry.time_s, "lost": None}.get(entry.kind, believed_s)
        else:
            now_s = entry[0]
        if not isinstance(following, Decision):  # all that was said at this time was said
            assert believed_s is None or now_s - believed_s <= TIMEOUT_S
    assert believed_s is None, "at the end nothing is known"

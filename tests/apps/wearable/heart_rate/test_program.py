"""The heart rate in C decides what Python decides: on this computer and on the emulated Cortex-M4."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pintsize.apps.wearable.heart_rate import KINDS, HeartRate, load_heart_rate
from pintsize.apps.wearable.heart_rate.heart_rate import WEIGHTS
from pintsize.apps.wearable.heart_rate.program import RateProgram, rate_program, taken
from pintsize.emulate import HostModel, build, can_run, core, execute
from pintsize.stream.manifest import read_manifest
from tests.apps.wearable.making import beats_at, electrocardiogram, pulse

MADE = {"ppg": pulse, "ecg": electrocardiogram}


@pytest.fixture(scope="module", params=list(KINDS))
def program(request: pytest.FixtureRequest) -> RateProgram:
    reason = can_run("cortex-m4")
    if reason:
        pytest.skip(reason)
    return rate_program(KINDS[request.param], WEIGHTS / f"heart_rate_{request.param}")


@pytest.fixture(scope="module")
def host(program: RateProgram) -> Iterator[HostModel]:
    with HostModel(program.files, program.name, sources=program.sources) as model:
        yield model


def python_says(heart: HeartRate, seconds: NDArray[np.int16]) -> NDArray[np.int32]:
    heart.reset()
    rows = []
    for second in seconds:
        rate, reason = heart.codes(second)
        rows.append((rate, reason, int(not heart.upright), len(heart.beats)))
    return np.array(rows, np.int32)


def hard(kind: str) -> NDArray[np.int16]:
    """Pulses, upside down, noise, nothing, clipped, a ramp, the whole range, a weak one: seconds of int16."""
    random, rate_hz = np.random.default_rng(0), KINDS[kind].rate_hz
    wave = 3000 * MADE[kind](beats_at(76, 30), 30, rate_hz)
    pieces = [
        wave, -wave, random.normal(0, 1500, 12 * rate_hz), np.zeros(10 * rate_hz), wave[: 15 * rate_hz] * 40,
        wave[: 15 * rate_hz], np.linspace(-3e4, 3e4, 10 * rate_hz), random.integers(-32768, 32768, 10 * rate_hz),
        wave[: 15 * rate_hz] * 0.005, 3000 * MADE[kind](beats_at(180, 20), 20, rate_hz),
    ]  # fmt: skip
    return np.clip(np.concatenate(pieces), -32768, 32767).astype(np.int16).reshape(-1, rate_hz)


def test_c_and_python_say_the_same_second_by_second(program: RateProgram, host: HostModel) -> None:
    kind = program.name.removeprefix("heart_rate_")
    seconds = hard(kind)
    expected = python_says(load_heart_rate(kind), seconds)
    found = host.run(seconds.view(np.int8), restart_every=len(seconds)).view(np.int32)
    np.testing.assert_array_equal(found, expected)
    assert len({*expected[:, 1].tolist()}) >= 4  # rates and several reasons are in it


def test_the_emulated_core_says_the_same(program: RateProgram) -> None:
    kind = program.name.removeprefix("heart_rate_")
    seconds = hard(kind)[:75]
    linked = build(program.files, core("cortex-m4"), program.name, "-Os", program.sources)
    found = execute(linked, seconds.view(np.int8), count=False)
    np.testing.assert_array_equal(found.outputs.view(np.int32), python_says(load_heart_rate(kind), seconds))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**31), st.sampled_from([3.0, 300.0, 30_000.0]), st.integers(30, 220))
def test_c_and_python_agree_on_drawn_sessions(
    program: RateProgram, host: HostModel, seed: int, size: float, bpm: int
) -> None:
    kind = program.name.removeprefix("heart_rate_")
    rate_hz, random = KINDS[kind].rate_hz, np.random.default_rng(seed)
    wave = MADE[kind](beats_at(bpm, 14, seed), 14, rate_hz, noise=random.uniform(0, 1), seed=seed)
    codes = np.clip(size * wave, -32768, 32767).astype(np.int16).reshape(-1, rate_hz)
    found = host.run(codes.view(np.int8), restart_every=len(codes)).view(np.int32)
    np.testing.assert_array_equal(found, python_says(load_heart_rate(kind), codes))


def test_what_ships_says_what_the_program_takes(program: RateProgram) -> None:
    kind = program.name.removeprefix("heart_rate_")
    figures = read_manifest(WEIGHTS / f"heart_rate_{kind}").content["figures"]
    assert figures["rate_flash_bytes"] == taken(program)["rate_flash_bytes"]


def test_both_fit_eight_kilobytes() -> None:
    found = [read_manifest(WEIGHTS / f"heart_rate_{kind}").content["figures"] for kind in KINDS]
    assert sum(figures["rate_flash_bytes"] for figures in found) <= 8000

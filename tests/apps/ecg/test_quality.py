"""The gate: what it passes, and what it names."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pintsize.apps.ecg.quality import BLOCK, RATE_HZ, REASONS, Fault, Gate
from tests.apps.ecg.hearts import counts, heart, steady

SECONDS = 20
TIMES_S = np.arange(SECONDS * RATE_HZ) / RATE_HZ


def clean() -> NDArray[np.float64]:
    return heart(steady(SECONDS + 2))[: len(TIMES_S)]


def broad() -> NDArray[np.float64]:
    return heart([("V", 0.9)] * 25, noise_mv=0.0)[: len(TIMES_S)]


def verdicts(millivolts: NDArray[np.float64]) -> list[Fault]:
    gate = Gate()
    told: list[Fault] = []
    samples = counts(millivolts)
    for first in range(0, len(samples), BLOCK):
        gate.see(samples[first : first + BLOCK])
        told.append(gate.verdict)
    return told


def test_a_clean_signal_passes_from_one_second_on() -> None:
    told = verdicts(clean())
    assert told[:4] == [Fault.BEGUN] * 4
    assert set(told[4:]) == {Fault.NONE}


@pytest.mark.parametrize(
    ("fault", "made"),
    [
        (Fault.FLAT, np.zeros(len(TIMES_S))),
        (Fault.FLAT, np.full(len(TIMES_S), 1.3)),
        (Fault.SCALE, 1000 * clean()),
        (Fault.CLIPPED, np.clip(broad(), -0.2, 0.9)),
        (Fault.HUM_50, clean() + 0.25 * np.sin(2 * np.pi * 50 * TIMES_S + 1)),
        (Fault.HUM_60, clean() + 0.25 * np.sin(2 * np.pi * 60 * TIMES_S)),
        (Fault.NOISE, clean() + np.random.default_rng(0).normal(0, 0.3, len(TIMES_S))),
        (Fault.MOTION, clean() + 3 * np.sin(2 * np.pi * 0.6 * TIMES_S)),
        (Fault.SMALL, 0.05 * clean() + 0.1 * np.sin(0.5 * TIMES_S)),
    ],
)
def test_what_is_wrong_is_named(fault: Fault, made: NDArray[np.float64]) -> None:
    told = verdicts(made)
    assert told.count(fault) > 0.4 * len(told), {each.name for each in told}
    assert REASONS[fault]


def test_weak_hum_and_slow_drift_pass() -> None:
    drift = 0.8 * np.sin(2 * np.pi * 0.2 * TIMES_S)
    hum = 0.05 * np.sin(2 * np.pi * 50 * TIMES_S)
    assert set(verdicts(clean() + drift + hum)[4:]) == {Fault.NONE}


def test_a_fault_is_over_two_seconds_after_its_end() -> None:
    made = clean()
    made[5 * RATE_HZ : 6 * RATE_HZ] += 8.0
    told = verdicts(made)
    bad = [place for place, verdict in enumerate(told) if verdict is Fault.MOTION]
    assert 24 <= bad[0] <= 26
    assert told[bad[-1] + 1] is Fault.NONE
    assert bad[-1] <= 5 * 6 + 10


def test_high_peaks_are_not_taken_for_clipping() -> None:
    assert Fault.CLIPPED not in verdicts(broad())
    assert Fault.CLIPPED not in verdicts(3 * clean())


def test_blocks_of_any_size_are_judged_alike() -> None:
    samples = counts(clean() + 0.25 * np.sin(2 * np.pi * 50 * TIMES_S))
    gates = Gate(), Gate()
    gates[0].see(samples)
    for first in range(0, len(samples), 7):
        gates[1].see(samples[first : first + 7])
    assert gates[0].verdict is gates[1].verdict is Fault.HUM_50

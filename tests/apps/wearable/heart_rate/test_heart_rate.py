"""Rates of made signals, from 40 to 200 beats per minute, upright and upside down; and none where there is none."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from pintsize.apps.wearable.heart_rate import KINDS, HeartRate, Rate, load_heart_rate
from pintsize.apps.wearable.heart_rate.following import Following
from pintsize.apps.wearable.heart_rate.kinds import LONGEST
from pintsize.apps.wearable.heart_rate.windows import rates_of, true_rate
from pintsize.errors import DataError, UserError
from pintsize.stream.block import Block
from tests.apps.wearable.making import beats_at, electrocardiogram, pulse

SECONDS = 32


@pytest.fixture(scope="module")
def ppg() -> HeartRate:
    return load_heart_rate("ppg")


@pytest.fixture(scope="module")
def ecg() -> HeartRate:
    return load_heart_rate("ecg")


def errors(
    heart: HeartRate, signal: NDArray[np.float64], rate_hz: float, beats_s: NDArray[np.float64]
) -> NDArray:
    told = list(rates_of(heart, signal.astype(np.float32), rate_hz))
    return np.array([abs(rate - true_rate(beats_s, second - 8, second)) for second, rate in told])


@pytest.mark.parametrize("upside_down", [False, True])
@pytest.mark.parametrize("bpm", range(40, 201, 20))
def test_a_pulse_wave_is_read_from_40_to_200(ppg: HeartRate, bpm: int, upside_down: bool) -> None:
    beats_s = beats_at(bpm, SECONDS, seed=bpm)
    signal = pulse(beats_s, SECONDS, 64, noise=0.1, seed=bpm) * (-3.0 if upside_down else 3.0)
    found = errors(ppg, signal, 64, beats_s)
    assert len(found) >= 12
    assert found.mean() < 0.7
    assert found.max() < 6


@pytest.mark.parametrize("reversed_leads", [False, True])
@pytest.mark.parametrize("bpm", range(40, 201, 40))
def test_an_electrocardiogram_is_read_from_40_to_200(ecg: HeartRate, bpm: int, reversed_leads: bool) -> None:
    beats_s = beats_at(bpm, SECONDS, seed=bpm)
    signal = electrocardiogram(beats_s, SECONDS, 250, seed=bpm) * (-1.0 if reversed_leads else 1.0)
    found = errors(ecg, signal, 250, beats_s)
    assert len(found) >= 20
    assert found.mean() < 0.5


@pytest.mark.parametrize("rate_hz", [25.0, 31.25, 50.0, 100.0, 125.0, 256.0])
@pytest.mark.parametrize("unit", [1e-3, 1.0, 2e5])
def test_any_rate_and_any_unit(ppg: HeartRate, rate_hz: float, unit: float) -> None:
    beats_s = beats_at(72, 24)
    found = errors(ppg, (pulse(beats_s, 24, rate_hz) + 40) * unit, rate_hz, beats_s)
    assert len(found) >= 10
    assert found.mean() < 0.6


@pytest.mark.parametrize("kind", ["ppg", "ecg"])
@pytest.mark.parametrize("made", ["white", "walk", "hum", "flat", "ramp"])
def test_what_is_no_heart_gets_no_rate(kind: str, made: str) -> None:
    heart, random, n = load_heart_rate(kind), np.random.default_rng(1), 250 * 60
    signals = {
        "white": random.standard_normal(n),
        "walk": np.cumsum(random.standard_normal(n)),
        "hum": np.sin(2 * np.pi * 50 * np.arange(n) / 250) + 0.1 * random.standard_normal(n),
        "flat": np.full(n, 3.0),
        "ramp": np.linspace(0.0, 5.0, n),
    }
    told = list(rates_of(heart, signals[made].astype(np.float32), 250))
    assert len(told) <= 6  # of 60 answers; one in ten may look like a heart by chance


def test_a_pulse_that_stops_is_told_soon_and_with_its_reason(ppg: HeartRate) -> None:
    beats_s = beats_at(70, 20)
    signal = np.concatenate([pulse(beats_s, 20, 50, noise=0.01), np.full(50 * 12, 0.3)])
    told = answers(ppg, signal)
    known = [second for second, rate in told if rate.bpm is not None]
    assert 18 <= max(known) <= 24
    assert told[-1][1].bpm is None
    assert all(rate.reason for _, rate in told if rate.bpm is None)


def answers(heart: HeartRate, signal: NDArray[np.float64], rate_hz: float = 50.0) -> list[tuple[float, Rate]]:
    following = Following(heart, rate_hz)
    blocks = [
        Block(signal[first : first + 50, None].astype(np.float32), first / rate_hz, rate_hz)
        for first in range(0, len(signal), 50)
    ]
    return [told for block in blocks for told in following.push(block)]


def test_an_inverted_pulse_is_recognised(ppg: HeartRate) -> None:
    signal = -pulse(beats_at(65, SECONDS), SECONDS, 50, noise=0.02)
    told = answers(ppg, signal)
    assert told[-1][1].inverted
    assert told[-1][1].bpm == pytest.approx(65, abs=3)


def test_an_upright_one_is_not_taken_for_inverted(ppg: HeartRate) -> None:
    told = answers(ppg, pulse(beats_at(65, SECONDS), SECONDS, 50, noise=0.02))
    assert not any(rate.inverted for _, rate in told)


def test_clipped_samples_give_no_rate(ppg: HeartRate) -> None:
    loud = np.clip(pulse(beats_at(70, 20), 20, 50) * 1e6, -32768, 32767).astype(np.int16)
    ppg.reset()
    told = [ppg.push(second) for second in loud.reshape(-1, 50)]
    assert not any(rate.bpm for rate in told)
    assert "end of its range" in str(told[-1].reason)


def test_blocks_of_any_length_give_the_same(ppg: HeartRate) -> None:
    signal = pulse(beats_at(80, 20), 20, 64).astype(np.float32)
    found = []
    for step in (1, 7, 64, 500):
        following = Following(ppg, 64.0)
        parts = [Block(signal[i : i + step, None], i / 64, 64.0) for i in range(0, len(signal), step)]
        found.append([rate.bpm for part in parts for _, rate in following.push(part)])
    assert found[0]
    for one, other in pairwise(found):
        known = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
        assert len(known) >= 8
        assert all(abs(a - b) < 0.5 for a, b in known)  # the unit is learnt from whole blocks


def test_a_reset_forgets_everything(ppg: HeartRate) -> None:
    codes = (3000 * pulse(beats_at(70, 20), 20, 50)).astype(np.int16).reshape(-1, 50)
    ppg.reset()
    first = [ppg.codes(second) for second in codes]
    ppg.reset()
    assert [ppg.codes(second) for second in codes] == first
    assert first[-1][0] > 0


def test_after_very_long_it_begins_anew(ppg: HeartRate) -> None:
    ppg.reset()
    ppg._peaks.now = LONGEST
    ppg.push(np.zeros(50, np.int16))
    assert ppg.now == 50


@pytest.mark.parametrize("samples", [np.zeros(49, np.int16), np.zeros(50, np.float32), np.zeros(0, np.int16)])
def test_anything_but_a_second_of_int16_is_refused(ppg: HeartRate, samples: NDArray) -> None:
    with pytest.raises(DataError, match="a second of the pulse wave"):
        ppg.push(samples)


def test_another_signal_is_refused() -> None:
    with pytest.raises(UserError, match="ppg, ecg"):
        load_heart_rate("sound")


def test_an_artifact_of_another_length_is_refused(ppg: HeartRate) -> None:
    with pytest.raises(UserError, match="125 int16 samples at a time"):
        HeartRate(ppg.artifact, KINDS["ecg"])

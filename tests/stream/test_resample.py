"""Blocks of any size give the same samples, and those are the ones that the filter's definition gives."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pintsize.errors import DataError
from pintsize.stream.resample import Resampler, ratio

RATES = [(8000, 16000), (44100, 16000), (48000, 16000), (16000, 8000), (360, 180), (128, 180), (11025, 8000)]


def resampled(signal: NDArray[np.float64], ratio_: Fraction, cuts: list[int]) -> NDArray[np.float64]:
    resampler = Resampler(ratio_, signal.shape[1])
    pieces = [resampler.push(piece) for piece in np.split(signal, cuts)]
    return np.concatenate([*pieces, resampler.finish()])


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_blocks_of_any_size_give_the_same_samples(from_hz: int, to_hz: int, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, 700))
    cuts = sorted(data.draw(st.lists(st.integers(0, length), max_size=8)))
    signal = np.random.default_rng(length).normal(size=(length, 2))
    whole = resampled(signal, ratio(from_hz, to_hz), [])
    assert np.array_equal(resampled(signal, ratio(from_hz, to_hz), cuts), whole)
    assert len(whole) == -(-length * to_hz // from_hz)


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_a_tone_stays_a_tone(from_hz: int, to_hz: int) -> None:
    pitch_hz = 0.2 * min(from_hz, to_hz)
    seconds = np.arange(4000) / from_hz
    signal = np.sin(2 * np.pi * pitch_hz * seconds)[:, None]
    made = resampled(signal, ratio(from_hz, to_hz), [])[:, 0]
    due = np.sin(2 * np.pi * pitch_hz * np.arange(len(made)) / to_hz)
    edge = len(made) // 10
    assert np.abs(made - due)[edge:-edge].max() < 1e-3


def test_what_the_lower_rate_cannot_hold_is_removed() -> None:
    seconds = np.arange(48000) / 48000
    made = resampled(np.sin(2 * np.pi * 9000 * seconds)[:, None], ratio(48000, 16000), [])
    assert np.abs(made[200:-200]).max() < 10 ** (-70 / 20)


def test_a_constant_stays_itself_and_the_first_sample_is_at_the_first_ones_time() -> None:
    made = resampled(np.full((3000, 1), 0.25), ratio(44100, 16000), [])
    assert np.abs(made[100:-100] - 0.25).max() < 1e-6
    step = np.zeros((2000, 1))
    step[1000:] = 1
    crossing = int(np.argmax(resampled(step, ratio(8000, 16000), []) >= 0.5))
    assert abs(crossing - 2000) <= 1


def test_finish_starts_anew() -> None:
    resampler = Resampler(ratio(48000, 16000), 1)
    signal = np.random.default_rng(0).normal(size=(500, 1))
    first = np.concatenate([resampler.push(signal), resampler.finish()])
    again = np.concatenate([resampler.push(signal), resampler.finish()])
    assert np.array_equal(first, again)


def test_awkward_rates_are_near_enough_or_refused() -> None:
    near = ratio(49.873, 50)
    assert abs(float(near) * 49.873 / 50 - 1) < 5e-5
    assert ratio(44100, 16000) == Fraction(160, 441)
    for from_hz, to_hz in [(0, 16000), (float("nan"), 16000), (16000, -1), (1e9, 1)]:
        with pytest.raises(DataError):
            ratio(from_hz, to_hz)

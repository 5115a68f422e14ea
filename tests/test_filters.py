"""Filters in whole numbers against scipy's and real waves."""

from __future__ import annotations

import numpy as np
import pytest

from pintsize.filters import (
    SECTION_MAX,
    SIGNAL_BITS,
    TAP_BITS,
    TAPS_REACH,
    biquads,
    coefficient_codes,
    delay,
    output_count,
    resampled,
    resampling_taps,
    state_size,
)
from tests.signals import awkward

scipy_signal = pytest.importorskip("scipy.signal")
ECG = scipy_signal.butter(2, [0.5, 40.0], "bandpass", fs=180, output="sos")
PPG = scipy_signal.butter(2, [0.4, 8.0], "bandpass", fs=125, output="sos")
SLOW = scipy_signal.butter(2, 0.05, "highpass", fs=360, output="sos")


def sections(sos: np.ndarray) -> tuple[float, ...]:
    return tuple(np.delete(sos, 3, axis=1).reshape(-1).tolist())


def nothing(sos: np.ndarray, rows: int) -> np.ndarray:
    return np.zeros((rows, state_size(len(sos))), np.int64)


@pytest.mark.parametrize("sos", [ECG, PPG, SLOW], ids=["ecg", "ppg", "slow"])
def test_sections_are_scipys_to_a_quarter_of_a_code(sos: np.ndarray) -> None:
    t = np.arange(4000)
    rng = np.random.default_rng(0)
    x = np.rint(1500 * np.sin(0.07 * t) + 900 + 0.2 * t + rng.normal(0, 100, len(t))).astype(np.int64)
    y, _ = biquads(x[:, None], coefficient_codes(sections(sos)), nothing(sos, 1))
    error = y[:, 0] / 2**SIGNAL_BITS - scipy_signal.sosfilt(sos, x)
    assert np.abs(error).max() < 0.25


@pytest.mark.parametrize("pieces", [1, 7, 100])
def test_pieces_give_what_the_whole_gives(pieces: int) -> None:
    x = awkward(500).T.astype(np.int64)
    codes = coefficient_codes(sections(ECG))
    whole, end = biquads(x, codes, nothing(ECG, x.shape[1]))
    state, parts = nothing(ECG, x.shape[1]), []
    for part in np.array_split(x, pieces):
        y, state = biquads(part, codes, state)
        parts.append(y)
    assert np.array_equal(np.concatenate(parts), whole)
    assert np.array_equal(state, end)


def test_a_filter_comes_to_rest_and_saturates_far_outside_int16() -> None:
    codes = coefficient_codes(sections(ECG))
    x = np.zeros((6000, 1), np.int64)
    x[:300] = 32767
    y, _ = biquads(x, codes, nothing(ECG, 1))
    assert np.abs(y[-100:]).max() <= 1 << SIGNAL_BITS
    loud, state = biquads(x, coefficient_codes((1.9, 1.9, 1.9, 0.0, 0.0)), np.zeros((1, 5), np.int64))
    assert np.abs(loud).max() == SECTION_MAX
    assert np.abs(state).max() < 2**31


@pytest.mark.parametrize(("up", "down"), [(1, 2), (1, 3), (1, 1), (2, 1), (18, 25), (160, 441), (36, 25)])
def test_a_wave_in_the_pass_band_stays_and_one_above_it_goes(up: int, down: int) -> None:
    taps = int(np.ceil(48 * max(1.0, down / up)))
    codes = resampling_taps(up, down, taps, 0.9, 8.0)
    assert (codes.sum(1) == 1 << TAP_BITS).all()
    assert np.abs(codes).sum(1).max() <= TAPS_REACH
    samples = taps + 6 * down
    t = np.arange(samples)
    nyquist = np.pi * min(1.0, up / down)
    count = output_count(samples, up, down, taps)
    at = np.arange(count) * down / up + delay(up, taps)
    for share in (0.0, 0.1, 0.5, 0.75):
        x = np.rint(20000 * np.cos(share * nyquist * t)).astype(np.int64)
        error = resampled(x[None], codes, down)[0] - 20000 * np.cos(share * nyquist * at)
        assert np.abs(error).max() < 20  # 60 dB
    if up < down:
        x = np.rint(20000 * np.cos(1.2 * nyquist * t)).astype(np.int64)
        assert np.abs(resampled(x[None], codes, down)).max() < 20


@pytest.mark.parametrize(("up", "down", "taps"), [(1, 2, 8), (3, 2, 5), (2, 3, 8), (18, 25, 12)])
def test_groups_from_what_is_new_are_those_of_the_whole(up: int, down: int, taps: int) -> None:
    codes = resampling_taps(up, down, taps, 0.9, 6.0)
    reach = (up - 1) * down // up + taps
    x = awkward(reach + 9 * down).astype(np.int64)
    assert output_count(reach - 1, up, down, taps) == 0
    whole = resampled(x, codes, down)
    parts = [resampled(x[:, i * down : i * down + reach], codes, down) for i in range(10)]
    assert np.array_equal(np.concatenate(parts, 1), whole)


def test_taps_that_ring_too_much_are_refused() -> None:
    with pytest.raises(ValueError, match="ring too much: fewer taps or a higher beta"):
        resampling_taps(2, 1, 8000, 1.0, 0.0)

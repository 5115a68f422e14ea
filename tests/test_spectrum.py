"""Spectra, bands and logarithms in whole numbers against the same in float64."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pintsize.spectrum import (
    ENERGY_BITS,
    LOG_BITS,
    WEIGHT_BITS,
    band_corners_hz,
    band_energies,
    band_weights,
    bands_of,
    cosine_codes,
    log2,
    log2_codes,
    log_constants,
    powers,
    spectrum,
    transformed,
    window_codes,
    window_shape,
    windowed,
)
from pintsize.write.c.emit import kernel_source
from tests.signals import awkward

SIZES = (16, 64, 128, 256, 512, 1024, 4096)
INT32 = 2**31 - 1


def integer_spectrum(frames: np.ndarray, fft: int, kind: str = "hann") -> np.ndarray:
    z = transformed(windowed(frames.astype(np.int64), kind, fft), fft)  # type: ignore[arg-type]
    return spectrum(z, fft)


@pytest.mark.parametrize("fft", SIZES)
def test_the_spectrum_is_that_of_float64_to_84_decibels_below_the_loudest(fft: int) -> None:
    frames = awkward(fft)
    x = integer_spectrum(frames, fft)
    real = np.fft.rfft(frames * window_shape("hann", fft)) / fft * 2.0**15
    error = np.abs(x[..., 0] + 1j * x[..., 1] - real)
    loudest = np.abs(real).max(1, keepdims=True)
    # a tone of one code is 2^13: a 400th of it, or what 16 bits of a cosine are short of
    assert (error < np.maximum(20.0, loudest * 2.0**-14)).all()


@pytest.mark.parametrize("fft", SIZES)
@pytest.mark.parametrize("kind", ["rectangular", "hann", "hamming"])
def test_nothing_leaves_32_bits_nor_an_energy_63(fft: int, kind: str) -> None:
    t = np.arange(fft)
    rows = [np.full(fft, -32768), np.where(t % 2, -32768, 32767), np.where(t % 4 < 2, -32768, 32767),
            *awkward(fft, 1)]  # fmt: skip
    frames = np.stack(rows).astype(np.int64)
    z = windowed(frames, kind, fft)  # type: ignore[arg-type]
    assert np.abs(z).max() <= 2**29
    z = transformed(z, fft)
    # what is added up on the way to the spectrum
    assert 2 * np.abs(z).max() <= INT32
    x = spectrum(z, fft)
    assert np.abs(x).max() <= 2**30
    everything = bands_of(np.array([-1.0, fft / 2, fft + 1.0]), float(fft), fft)
    energies = band_energies(powers(x), everything).astype(object)
    exact = (powers(x).astype(object) * np.append(everything.weights[: fft // 2], 1 << WEIGHT_BITS)).sum(1)
    assert (energies[:, 0] == exact).all()
    assert energies.max() < 2**63 - 2**62


@pytest.mark.parametrize("fft", SIZES)
def test_silence_is_nothing_and_one_code_is_seen(fft: int) -> None:
    frames = np.zeros((2, fft), np.int64)
    frames[1, fft // 2] = 1
    x = integer_spectrum(frames, fft)
    assert not x[0].any()
    assert (np.abs(x[1]).max(-1) > 0).all()


def test_the_tables_in_c_are_those_of_python() -> None:
    numbers = re.search(r"table\[33\] = \{([0-9,\s]+)\}", kernel_source("log_mel"))
    assert numbers
    assert [int(n) for n in numbers[1].replace("\n", " ").split(",") if n.strip()] == log2_codes().tolist()


@pytest.mark.parametrize("fft", SIZES)
def test_tables_are_int16(fft: int) -> None:
    assert cosine_codes(fft).max() < 2**15
    assert cosine_codes(fft).min() == 0
    assert window_codes("hann", fft).max() == 2**14


def test_log2_is_within_two_ten_thousandths() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([np.arange(1, 5000), 2 ** np.arange(63), 2 ** np.arange(1, 63) - 1])
    x = np.concatenate([x, (2.0 ** rng.uniform(0, 62.9, 20000)).astype(np.int64), [2**63 - 1]])
    error = log2(x) / 2**LOG_BITS - np.log2(x.astype(np.float64))
    assert np.abs(error).max() < 2e-4
    assert (np.diff(log2(np.sort(x))) >= 0).all()


@pytest.mark.parametrize(("fft", "count"), [(64, 8), (256, 20), (512, 40), (1024, 64)])
def test_triangles_are_those_of_real_numbers(fft: int, count: int) -> None:
    corners = band_corners_hz("mel", count, 20.0, 7600.0)
    bands = bands_of(corners, 16000.0, fft)
    weights = band_weights(corners, 16000.0, fft)
    power = np.eye(fft // 2 + 1, dtype=np.int64)
    found = band_energies(power, bands).T / 2**WEIGHT_BITS
    assert np.abs(found - weights).max() <= 0.5 / 2**WEIGHT_BITS
    assert bands.count == count


def test_a_band_without_a_bin_is_refused() -> None:
    with pytest.raises(ValueError, match=r"band \d+ of 80 is \d+ Hz wide and holds no bin of 62\.5 Hz"):
        bands_of(band_corners_hz("mel", 80, 20.0, 7600.0), 16000.0, 256)


def test_the_floor_and_the_scale_of_logarithms() -> None:
    assert log_constants(2.0**-15, 2.0**-40) == (
        2 ** (ENERGY_BITS + 30 - 40),
        (-30 - ENERGY_BITS) << LOG_BITS,
    )
    assert log_constants(1e-9, 1.0)[0] == 2**62  # what is louder than any signal
    assert log_constants(100.0, 1e-12)[0] == 1

"""Clips of any rate, channels and scale come as mono at 16 kHz; what is no clip is refused."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.sounds import RATE_HZ, active_span, as_codes, loudness_db, read_clip, with_loudness
from pintsize.errors import DataError


def write_wav(path: Path, samples: np.ndarray, rate_hz: int) -> Path:
    """int16 (n, channels)."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def tone(seconds: float, rate_hz: int, hz: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000])
def test_every_rate_becomes_16_khz(tmp_path: Path, rate_hz: int) -> None:
    made = np.rint(tone(0.5, rate_hz)[:, None] * 32767)
    clip = read_clip(write_wav(tmp_path / "a.wav", made, rate_hz))
    assert clip.dtype == np.float32
    assert abs(len(clip) - 0.5 * RATE_HZ) <= 2
    middle = slice(2000, 6000)
    np.testing.assert_allclose(clip[middle], tone(0.5, RATE_HZ)[middle], atol=0.01)


def test_channels_are_averaged(tmp_path: Path) -> None:
    left = np.full(1600, 8192)
    clip = read_clip(write_wav(tmp_path / "a.wav", np.stack([left, 0 * left], 1), RATE_HZ))
    np.testing.assert_allclose(clip, 0.125, atol=1e-4)


def test_what_is_no_clip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not there"):
        read_clip(tmp_path / "none.wav")
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(DataError):
        read_clip(tmp_path / "text.wav")
    with pytest.raises(DataError):
        read_clip(write_wav(tmp_path / "empty.wav", np.zeros((0, 1)), RATE_HZ))


def test_codes_saturate() -> None:
    assert as_codes(np.array([-2.0, -1.0, 0.0, 0.5, 2.0])).tolist() == [-32768, -32768, 0, 16384, 32767]


def test_loudness_is_set_and_silence_stays_silent() -> None:
    assert loudness_db(with_loudness(tone(0.2, RATE_HZ).astype(np.float32), -30.0)) == pytest.approx(
        -30.0, abs=0.1
    )
    assert not with_loudness(np.zeros(100, np.float32), -20.0).any()


def test_the_span_of_a_sound_is_found_between_silence() -> None:
    quiet = np.zeros(RATE_HZ // 2, np.float32)
    clip = np.concatenate([quiet, tone(0.4, RATE_HZ).astype(np.float32), quiet])
    begin_s, end_s = active_span(clip, RATE_HZ)
    assert begin_s == pytest.approx(0.5, abs=0.04)
    assert end_s == pytest.approx(0.9, abs=0.04)


def test_a_pause_within_a_word_does_not_end_it() -> None:
    loud, pause = tone(0.2, RATE_HZ).astype(np.float32), np.zeros(round(0.08 * RATE_HZ), np.float32)
    quiet = np.zeros(RATE_HZ // 2, np.float32)
    begin_s, end_s = active_span(np.concatenate([quiet, loud, pause, loud, quiet]), RATE_HZ)
    assert end_s - begin_s == pytest.approx(0.48, abs=0.08)

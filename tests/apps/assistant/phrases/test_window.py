from __future__ import annotations

import numpy as np
import pytest

from pintsize.apps.assistant.phrases.window import LOUDNESS, centred, trimmed, window_of
from pintsize.errors import DataError


def tone(seconds: float, level: float) -> np.ndarray:
    times_s = np.arange(round(seconds * 16_000)) / 16_000
    return (level * np.sin(2 * np.pi * 500.0 * times_s)).astype(np.float32)


def test_silence_around_a_phrase_is_cut_and_its_loudness_evened_out() -> None:
    clip = np.concatenate([np.zeros(8000), tone(0.3, 0.02), np.zeros(4000)]).astype(np.float32)
    kept = trimmed(clip)
    assert abs(len(kept) / 16_000 - 0.3) <= 0.021
    assert np.sqrt(np.mean(kept**2)) == pytest.approx(LOUDNESS, rel=1e-3)


def test_a_phrase_stands_in_the_middle_wherever_it_was() -> None:
    spoken = tone(0.25, 0.3)
    early = np.concatenate([spoken, np.zeros(9600, np.float32)])
    late = np.concatenate([np.zeros(9600, np.float32), spoken])
    as_int16 = [np.rint(c * 32767).astype(np.int16) for c in (early, late)]
    first, second = (window_of(c, 16_000) for c in as_int16)
    loud = np.flatnonzero(np.abs(first) > 1000)
    assert abs(loud[0] + loud[-1] - 16_000) < 2 * 160
    assert abs(np.flatnonzero(np.abs(second) > 1000)[0] - loud[0]) <= 160


def test_of_a_phrase_that_is_too_long_the_loudest_part_is_kept() -> None:
    clip = np.concatenate([tone(1.0, 0.05), tone(1.0, 0.5), tone(1.0, 0.05)])
    kept = centred(clip, 16_000)
    assert len(kept) == 16_000
    assert np.sqrt(np.mean(kept**2)) == pytest.approx(0.5 / 2**0.5, rel=1e-2)


@pytest.mark.parametrize(
    "clip", [np.zeros(16_000, np.int16), np.zeros(0, np.int16), np.full(100, 9, np.int16)]
)
def test_where_there_is_nothing_to_hear_it_says_so(clip: np.ndarray) -> None:
    with pytest.raises(DataError, match="phrase"):
        window_of(clip, 16_000)

"""From beats to a rate, by hand."""

from __future__ import annotations

import pytest

from pintsize.apps.wearable.heart_rate.kinds import ECG, FINE, PPG, Kind
from pintsize.apps.wearable.heart_rate.peaks import Beat
from pintsize.apps.wearable.heart_rate.rates import (
    FEW,
    HEIGHTS,
    NOISE,
    OUTSIDE,
    SHORT,
    STOPPED,
    UNEVEN,
    WEAK,
    Rate,
    rate_of,
)


def beats(kind: Kind, seconds: list[float], height: int = 1000) -> list[Beat]:
    return [Beat(round(second * kind.rate_hz * FINE), height) for second in seconds]


def told(kind: Kind, found: list[Beat], now_s: float, total: int = 0) -> tuple[int, int]:
    return rate_of(kind, found, round(now_s * kind.rate_hz), total)[:2]


def test_a_beat_a_second_is_60() -> None:
    assert told(PPG, beats(PPG, [1, 2, 3, 4, 5, 6, 7, 8]), 8.5) == (60 * FINE, 0)


def test_a_beat_that_was_missed_does_not_count() -> None:
    assert told(PPG, beats(PPG, [1, 2, 3, 5, 6, 7, 8, 9]), 9.5) == (60 * FINE, 0)


@pytest.mark.parametrize(
    ("kind", "seconds", "now_s", "reason"),
    [
        (PPG, [], 8, WEAK),
        (PPG, [1, 2, 3], 4, FEW),
        (PPG, [1, 2, 2.5, 4, 4.6, 6.2, 7.9], 8, UNEVEN),
        (PPG, [1, 2, 3, 4, 5, 6], 9, STOPPED),
        (PPG, [1, 2, 3, 4], 4.5, SHORT),
        (PPG, [0, 2.5, 5, 7.5], 8, OUTSIDE),
    ],
)
def test_why_there_is_none(kind: Kind, seconds: list[float], now_s: float, reason: int) -> None:
    assert told(kind, beats(kind, seconds), now_s) == (0, reason)


def test_heights_that_differ_are_motion() -> None:
    found = [Beat(beat.time, 1000 * (1 + 4 * (at % 2))) for at, beat in enumerate(beats(PPG, list(range(8))))]
    assert told(PPG, found, 8) == (0, HEIGHTS)
    assert told(ECG, [*beats(ECG, list(range(8)))], 8)[0] > 0


def test_beats_that_do_not_stand_out_are_noise() -> None:
    found = beats(ECG, list(range(8)))
    assert told(ECG, found, 8, total=8 * 125 * 300)[1] == 0
    assert told(ECG, found, 8, total=8 * 125 * 400)[1] == NOISE


def test_an_irregular_heart_keeps_its_mean_in_an_electrocardiogram() -> None:
    seconds = [0.0, 0.7, 1.7, 2.4, 3.5, 4.2, 5.2, 6.0, 7.1]
    assert told(ECG, beats(ECG, seconds), 7.5)[0] / FINE == pytest.approx(60 * 8 / 7.1, abs=3)
    assert told(PPG, beats(PPG, seconds), 7.5) == (0, UNEVEN)


@pytest.mark.parametrize(("bpm", "reason"), [(None, None), (60.0, "why")])
def test_a_rate_or_a_reason_never_both(bpm: float | None, reason: str | None) -> None:
    with pytest.raises(ValueError, match="one of both"):
        Rate(bpm, reason)

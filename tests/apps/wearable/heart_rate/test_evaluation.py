"""What an evaluation compares, on a made recording and on the public one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.wearable.heart_rate.evaluation import evaluate
from pintsize.apps.wearable.heart_rate.recordings import (
    FOLDER,
    GIVEN_SAMPLES,
    Recording,
    chosen_on,
    cut,
    unseen,
)
from pintsize.apps.wearable.heart_rate.training import rising
from pintsize.apps.wearable.heart_rate.windows import true_rate
from pintsize.errors import DataError
from tests.apps.wearable.making import beats_at, electrocardiogram, pulse

DATA = Path(__file__).parents[5] / "shared" / "data"


def write(folder: Path, seconds: int) -> None:
    beats_s = beats_at(75, seconds)
    inside = beats_s[beats_s < seconds]
    (folder / FOLDER).mkdir()
    np.savez(
        folder / FOLDER / "made.npz", fs=125, r_peaks=np.rint(inside * 125).astype(np.int32),
        ppg=pulse(beats_s, seconds, 125).astype(np.float32),
        ecg=electrocardiogram(beats_s, seconds, 125).astype(np.float32),
    )  # fmt: skip


def test_a_made_recording_is_read_nearly_right(tmp_path: Path) -> None:
    write(tmp_path, 60)
    found = evaluate(tmp_path)
    assert found.metrics["heart_rate_mae_bpm"] < 0.5
    assert found.metrics["heart_rate_mae_bpm"] == max(
        found.metrics["heart_rate_mae_bpm_ppg"], found.metrics["heart_rate_mae_bpm_ecg"]
    )
    assert found.metrics["heart_rate_answered_ppg"] > 0.7
    assert 0 < found.metrics["heart_rate_flash_bytes"] <= 8000
    assert "one person" in found.notes[0]
    assert [answers.name for answers in found.answers] == [
        "Heart rate, pulse wave, at rest", "Heart rate, electrocardiogram, at rest",
    ]  # fmt: skip


def test_without_the_data_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=FOLDER):
        evaluate(tmp_path)


def recording(samples: int) -> Recording:
    signals = {name: np.zeros(samples, np.float32) for name in ("ppg", "ecg")}
    return Recording("r", 125.0, signals, np.arange(0, samples / 125, 0.8))


@pytest.mark.parametrize(("samples", "seconds"), [(GIVEN_SAMPLES, 90.0), (60_000, 120.0), (15_000, 120.0)])
def test_only_what_nothing_was_chosen_on_is_measured(samples: int, seconds: float) -> None:
    assert unseen(recording(samples)).seconds == seconds


def test_what_was_chosen_on_is_the_other_part() -> None:
    assert chosen_on(recording(GIVEN_SAMPLES)).seconds == chosen_on(recording(60_000)).seconds == 270
    with pytest.raises(DataError, match="not the recording"):
        chosen_on(recording(15_000))


def test_confidence_never_falls_with_agreement() -> None:
    assert rising([1, 3, 2, 9], [2, 4, 4, 10]) == [0.5, 0.625, 0.625, 0.9]


def test_a_part_has_its_own_time() -> None:
    part = cut(recording(12_500), 40.0, 60.0)
    assert part.seconds == 20
    assert part.beats_s[0] == pytest.approx(0.0, abs=0.8)
    assert part.beats_s[-1] < 20


def test_the_true_rate_is_that_of_the_mean_interval() -> None:
    beats_s = np.array([0.0, 1.0, 1.5, 3.0, 9.0])
    assert true_rate(beats_s, 0, 8) == pytest.approx(60.0)
    assert np.isnan(true_rate(beats_s, 8, 16))


def test_the_public_recording_meets_its_figure(tmp_path: Path) -> None:
    if not (DATA / FOLDER).is_dir():
        pytest.skip(f"{DATA / FOLDER} is not here")
    (tmp_path / FOLDER).symlink_to(DATA / FOLDER)  # without the patients, which take long
    found = evaluate(tmp_path).metrics
    assert found["heart_rate_mae_bpm_ppg"] <= 0.5
    assert found["heart_rate_mae_bpm_ecg"] <= 0.5
    assert found["heart_rate_answered_ppg"] > 0.85

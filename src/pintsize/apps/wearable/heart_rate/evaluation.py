"""How near the shipped integers come to the rate of the beats that were marked in the electrocardiogram.

    python -m pintsize.apps.wearable.heart_rate.evaluation DATA

The error is of the windows that are answered; the share of these is told beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pintsize.apps.evidence import Answers, Evaluation, Interval, bootstrap
from pintsize.apps.wearable.heart_rate.heart_rate import WEIGHTS, load_heart_rate
from pintsize.apps.wearable.heart_rate.kinds import KINDS
from pintsize.apps.wearable.heart_rate.recordings import (
    FOLDER,
    PATIENT_S,
    Recording,
    patients_in,
    recordings_in,
    unseen,
)
from pintsize.apps.wearable.heart_rate.windows import Window, windows_of
from pintsize.errors import DataError
from pintsize.stream.manifest import read_manifest

#: a rate this near is right, beats per minute
RIGHT_BPM = 3.0


def evaluate(data: Path, weights: Path = WEIGHTS) -> Evaluation:
    """data: the folder of data sets. Raises DataError where the recordings are not there."""
    recordings = [unseen(recording) for recording in recordings_in(data)]
    metrics: dict[str, float] = {}
    answers: list[Answers] = []
    for name, kind in KINDS.items():
        heart = load_heart_rate(name, weights)
        windows = [window for recording in recordings for window in windows_of(heart, recording)]
        errors = np.array([window.error for window in windows])
        told = np.isfinite(errors)
        if not told.any():
            raise DataError(f"{data / FOLDER}: no window of the {kind.title} got a rate")
        metrics[f"heart_rate_mae_bpm_{name}"] = float(errors[told].mean())
        metrics[f"heart_rate_answered_{name}"] = float(told.mean())
        answers += answers_about(f"Heart rate, {kind.title}, at rest", windows)
    metrics["heart_rate_mae_bpm"] = max(metrics[f"heart_rate_mae_bpm_{kind}"] for kind in KINDS)
    metrics["heart_rate_flash_bytes"] = flash_bytes(weights)
    intervals, more = of_patients(data, weights)
    metrics |= {name: interval.value for name, interval in intervals.items()}
    return Evaluation(metrics, intervals, (*answers, *more), (_note(recordings),))


def of_patients(data: Path, weights: Path) -> tuple[dict[str, Interval], list[Answers]]:
    """The error, and the share of windows with a rate, over patients with arrhythmias; nothing where they are not."""
    heart = load_heart_rate("ecg", weights)
    patients = patients_in(data, "test", "heldout")
    windows = [window for patient in patients for window in windows_of(heart, patient)]
    given = [window for window in windows if np.isfinite(window.error)]
    if not given:
        return {}, []
    errors = np.array([window.error for window in given])
    told = np.array([float(np.isfinite(window.error)) for window in windows])
    intervals = {
        "heart_rate_mae_bpm_ecg_arrhythmia": bootstrap(
            lambda at: float(errors[at].mean()), [window.whose for window in given]
        ),
        "heart_rate_answered_ecg_arrhythmia": bootstrap(
            lambda at: float(told[at].mean()), [window.whose for window in windows]
        ),
    }
    return intervals, answers_about("Heart rate, electrocardiogram, with arrhythmias", windows)


def answers_about(name: str, windows: Sequence[Window]) -> list[Answers]:
    """The windows that got a rate with a confidence, each right where it is near enough; nothing where none did."""
    sure = [(w, w.told.confidence) for w in windows if w.told is not None and w.told.confidence is not None]
    if not sure:
        return []
    confidence = np.array([value for _, value in sure])
    right = np.array([window.error <= RIGHT_BPM for window, _ in sure])
    return [Answers(name, confidence, right, [window.whose for window, _ in sure])]


def _note(recordings: Sequence[Recording]) -> str:
    seconds = sum(recording.seconds for recording in recordings)
    return (
        f"Heart rate: {seconds:.0f} s of one person at rest, in windows of 8 s that overlap, so no interval over "
        "people can be told. Errors are of answered windows; right is within "
        f"{RIGHT_BPM:g} beats per minute. Flash is of both programs, filter and rule, built for size. Beside it the "
        f"first {PATIENT_S:.0f} s of patients with arrhythmias, electrocardiogram alone, if they are there."
    )


def flash_bytes(weights: Path) -> float:
    """Of both programs together, as measured when they were shipped."""
    manifests = [read_manifest(weights / f"heart_rate_{kind}") for kind in KINDS]
    return float(sum(manifest.content["figures"]["rate_flash_bytes"] for manifest in manifests))


if __name__ == "__main__":
    for name, value in evaluate(Path(sys.argv[1])).metrics.items():
        print(f"{name} {value:.6g}")

"""Recordings with marked beats: which were looked at when the rule was chosen, and which nothing was chosen on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.wearable.heart_rate.kinds import KINDS
from pintsize.errors import DataError

FOLDER = "heartrate_bidmc01"
#: the recording that is given out is this long; what is longer has only unseen samples behind it
GIVEN_SAMPLES = 45_000
#: of what is given, this share was looked at when the rule was chosen
CHOSEN_SHARE = 0.75
#: patients with arrhythmias, of whom the electrocardiogram's tolerances were chosen on "train" alone
PATIENTS = "ecg_mitbih"
PATIENT_HZ, PATIENT_S = 180.0, 300.0


@dataclass(frozen=True, eq=False)
class Recording:
    """signals: kind → (n,) float32; beats_s: when the marked beats are; rate_hz: of the signals"""

    name: str
    rate_hz: float
    signals: dict[str, NDArray[np.float32]]
    beats_s: NDArray[np.float64]

    @property
    def seconds(self) -> float:
        return len(next(iter(self.signals.values()))) / self.rate_hz


def recordings_in(data: Path) -> list[Recording]:
    """Raises DataError where there are none, and for one that is not as it should be."""
    files = sorted((data / FOLDER).glob("*.npz"))
    if not files:
        raise DataError(f"{data} has no {FOLDER}: the heart rate is measured on it")
    return [_read(path) for path in files]


def _read(path: Path) -> Recording:
    with np.load(path, allow_pickle=False) as content:
        missing = {"fs", "ppg", "ecg", "r_peaks"} - set(content.files)
        if missing:
            raise DataError(f"{path} has no {', '.join(sorted(missing))}")
        rate_hz = float(content["fs"])
        signals = {kind: content[kind] for kind in KINDS}
        return Recording(path.stem, rate_hz, signals, content["r_peaks"] / rate_hz)


def patients_in(data: Path, *parts: str) -> list[Recording]:
    """The first minutes of the patients of these parts of the split; those of them that are there."""
    folder = data / PATIENTS
    if not (folder / "splits.json").is_file():
        return []
    splits = json.loads((folder / "splits.json").read_text(encoding="utf-8"))
    names = [name for part in parts for name in splits.get(part, ())]
    return [_patient(path) for name in names if (path := folder / f"{name}.npz").is_file()]


def _patient(path: Path) -> Recording:
    with np.load(path, allow_pickle=False) as content:
        signal = content["ecg"][: round(PATIENT_S * PATIENT_HZ)].astype(np.float32)
        beats_s = content["beat_pos"] / PATIENT_HZ
    return Recording(path.stem, PATIENT_HZ, {"ecg": signal}, beats_s[beats_s < PATIENT_S])


def unseen(recording: Recording) -> Recording:
    """What nothing was chosen on: the last quarter of what is given; all behind that; other recordings whole."""
    samples = len(recording.signals["ppg"])
    if samples == GIVEN_SAMPLES:
        return cut(recording, CHOSEN_SHARE * recording.seconds, recording.seconds)
    if samples > GIVEN_SAMPLES:
        return cut(recording, GIVEN_SAMPLES / recording.rate_hz, recording.seconds)
    return recording


def chosen_on(recording: Recording) -> Recording:
    """What was looked at when the rule was chosen. Raises DataError for a recording that is not the one given out."""
    if len(recording.signals["ppg"]) < GIVEN_SAMPLES:
        raise DataError(f"{recording.name} is not the recording whose first part the rule was chosen on")
    return cut(recording, 0.0, CHOSEN_SHARE * GIVEN_SAMPLES / recording.rate_hz)


def cut(recording: Recording, first_s: float, stop_s: float) -> Recording:
    """The part between two times, whose own time begins with 0."""
    first, stop = round(first_s * recording.rate_hz), round(stop_s * recording.rate_hz)
    inside = (recording.beats_s >= first_s) & (recording.beats_s < stop_s)
    signals = {name: signal[first:stop] for name, signal in recording.signals.items()}
    return Recording(recording.name, recording.rate_hz, signals, recording.beats_s[inside] - first_s)

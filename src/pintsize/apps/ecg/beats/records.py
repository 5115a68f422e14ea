"""The records of the MIT-BIH Arrhythmia Database as `ecg_mitbih` keeps them: one patient each, lead MLII, 180 Hz.

Training patients are DS1 and test patients parts of DS2 of de Chazal et al., IEEE Trans. Biomed. Eng., 2004.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import DataError

FOLDER = "ecg_mitbih"
RATE_HZ = 180
#: what ±32768 stands for: 5 µV a code
FULL_SCALE_MV = 163.84


@dataclass(frozen=True, eq=False)
class Record:
    """samples: int16 codes of 5 µV; at: (beats,) the R peaks' samples; kinds: (beats,) "N", "S", "V", "F" or "Q" """

    name: str
    samples: NDArray[np.int16]
    at: NDArray[np.int64]
    kinds: NDArray[np.str_]


def training_records(data: Path) -> list[str]:
    """Names of those that training and every choice may see. Raises DataError where the data is not there."""
    return _names(data, "train")


def unseen_records(data: Path) -> tuple[str, list[str]]:
    """The part to report on and its names: "heldout" where its files are there, else "test".

    Raises DataError where neither is.
    """
    for part in ("heldout", "test"):
        names = _names(data, part)
        if names and all(_path(data, name).is_file() for name in names):
            return part, names
    raise DataError(f"{data / FOLDER} holds the records of neither heldout nor test")


def read_records(data: Path, names: Sequence[str]) -> Iterator[Record]:
    """One after another. Raises DataError for one that cannot be read."""
    for name in names:
        yield read_record(_path(data, name))


def read_record(path: Path) -> Record:
    """Raises DataError for a file that is no record at 180 Hz."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            rate_hz = int(arrays["fs"])
            samples = np.asarray(arrays["ecg"], np.int16).reshape(-1)
            at, kinds = np.asarray(arrays["beat_pos"], np.int64), np.asarray(arrays["beat_class"], np.str_)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a record: {error}") from error
    if rate_hz != RATE_HZ or len(at) != len(kinds):
        raise DataError(
            f"{path}: {rate_hz} Hz, {len(at)} beats of {len(kinds)} kinds: {RATE_HZ} Hz is needed"
        )
    return Record(path.stem, samples, at, kinds)


def _names(data: Path, part: str) -> list[str]:
    path = data / FOLDER / "splits.json"
    try:
        split: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return [str(name) for name in split[part]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} cannot be read: {error!r}") from error


def _path(data: Path, name: str) -> Path:
    return data / FOLDER / f"{name}.npz"

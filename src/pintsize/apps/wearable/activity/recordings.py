"""The recordings of `activity_phone_watch`: who, with which device, what they did at each sample.

Data: the smartphone and smartwatch set of Matey-Sanz et al. (Data in Brief, 2023): one `<person>.npz` with
`<execution>_<device>_x` (int16, n × 6 at 50 Hz) and `_y` (class of each sample), `classes.txt`, `subjects.csv`.
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import DataError

FOLDER = "activity_phone_watch"
#: name of a device here → as the files call it
DEVICES = {"phone": "sp", "watch": "sw"}


@dataclass(frozen=True, eq=False)
class Recording:
    """samples: (n, 6) int16, acceleration and turning; doing: (n,) index of the label."""

    person: str
    device: str
    samples: NDArray[np.int16]
    doing: NDArray[np.int64]


def labels_of(data: Path) -> tuple[str, ...]:
    """In the words that are shown: "sitting down". Raises DataError where the data set is not there."""
    return tuple(name.lower().replace("_", " ") for name in _text(data / FOLDER / "classes.txt").split())


def people_of(data: Path) -> dict[str, tuple[str, ...]]:
    """Split → people whose files are there. Raises DataError where the data set is not there."""
    rows = list(csv.DictReader(_text(data / FOLDER / "subjects.csv").splitlines()))
    there = [row for row in rows if (data / FOLDER / f"{row['subject_id']}.npz").is_file()]
    splits = {row["split"] for row in there}
    return {s: tuple(row["subject_id"] for row in there if row["split"] == s) for s in sorted(splits)}


def recordings_of(data: Path, people: Sequence[str]) -> list[Recording]:
    """Raises DataError for a file that cannot be read."""
    return [recording for person in people for recording in _of_person(data / FOLDER / f"{person}.npz")]


def _of_person(path: Path) -> list[Recording]:
    found: list[Recording] = []
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for device, short in DEVICES.items():
                names = [n.removesuffix("_x") for n in arrays.files if n.endswith(f"_{short}_x")]
                found += [
                    Recording(path.stem, device, arrays[f"{n}_x"], arrays[f"{n}_y"].astype(np.int64))
                    for n in names
                ]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a person's recordings: {error}") from error
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error

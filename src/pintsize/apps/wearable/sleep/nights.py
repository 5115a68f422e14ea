"""The nights of `sleep_watch`, and whose they are for.

Data: features that R. Yost derived from PhysioNet's sleep-accel (Walch et al., SLEEP 2019): one `<person>.npz` with
`accel` (epochs × 21), `bcg` (× 11), `clock` (× 3) and `stage` of polysomnography (0 wake, 1 N1, 2 N2, 3 N3, 5 REM).
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import DataError

FOLDER = "sleep_watch"
#: the twelve people of the training part in the order of their names; every fourth is kept for the test
TWELVE = (
    "1360686", "3509524", "4018081", "4314139", "5132496", "6220552",
    "8000685", "8173033", "844359", "8686948", "8692923", "9106476",
)  # fmt: skip
TEST = TWELVE[::4]
TRAINED = tuple(person for person in TWELVE if person not in TEST)
#: stage of the file → index of wake, light, deep, rem
OF_STAGE = {0: 0, 1: 1, 2: 1, 3: 2, 5: 3}


@dataclass(frozen=True, eq=False)
class Recorded:
    """features: (epochs, 35); stages: (epochs,) indices of wake, light, deep, rem."""

    person: str
    features: NDArray[np.float64]
    stages: NDArray[np.int64]


def night_of(data: Path, person: str) -> Recorded:
    """Raises DataError for a file that is not there or cannot be read."""
    path = data / FOLDER / f"{person}.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            features = np.concatenate([arrays[name] for name in ("accel", "bcg", "clock")], 1)
            stages = np.array([OF_STAGE[int(stage)] for stage in arrays["stage"]], np.int64)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a night of {FOLDER}: {error}") from error
    return Recorded(person, features.astype(np.float64), stages)


def unseen(data: Path) -> tuple[str, ...]:
    """People of whom nothing was learnt: those beyond the twelve where their files are there, else the test's three.

    Raises DataError where the data is not there.
    """
    there = sorted(path.stem for path in (data / FOLDER).glob("*.npz"))
    if not there:
        raise DataError(f"{data / FOLDER} has no nights")
    beyond = tuple(person for person in there if person not in TWELVE)
    return beyond or tuple(person for person in TEST if person in there)

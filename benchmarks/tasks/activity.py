"""What somebody does, from the watch on their wrist: people never seen in training, two seconds at a time.

Data: the smartphone and smartwatch set of Matey-Sanz et al. (Data in Brief, 2023), one `<person>.npz` with
`<execution>_sw_x` (int16, n × 6 at 50 Hz: acceleration in 1/500 m/s², turning in 1/2000 rad/s) and `<execution>_sw_y`
(class of each sample), `classes.txt`, and `subjects.csv` with the person's split. A window's class is the one in its
middle. The split "train" gives training and, by some people set aside, validation; "val" is the test.
"""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.models import conv_gru
from benchmarks.tasks.task import Schedule, Standard, Task, data_set
from pintsize.errors import DataError

FOLDER = "activity_phone_watch"
VAL_PEOPLE = ("s05", "s13", "s17")
WINDOW = 100
#: samples from one window to the next: 50 are a second
TRAIN_STEP, TEST_STEP = 5, 10
UNITS = np.repeat([1 / 500, 1 / 2000], 3).astype(np.float32)


def load(root: Path) -> Task:
    """Windows (6, 100) of acceleration and turning.

    Raises:
        DataError: the folder lacks the data set, or a recording cannot be read.
    """
    folder = data_set(root, FOLDER)
    people = read_split(folder / "subjects.csv")
    labels = tuple(_text(folder / "classes.txt").split())
    known = [p for p in people["train"] if p not in VAL_PEOPLE]
    x_train, y_train = windows_of(folder, known, TRAIN_STEP)
    standard = Standard.of(x_train, (0, 2))

    def held_back(part: list[str]) -> tuple[np.ndarray, np.ndarray]:
        x, y = windows_of(folder, part, TEST_STEP)
        return standard(x), y

    x_val, y_val = held_back(list(VAL_PEOPLE))
    return Task(
        name="activity",
        labels=labels,
        x_train=standard(x_train),
        y_train=y_train,
        x_val=x_val,
        y_val=y_val,
        tests={"people": held_back(people["val"])},
        make_teacher=lambda: conv_gru.make(classes=len(labels)),
        augment=vary,
        schedule=Schedule(epochs=12, learning_rate=4e-3),
        copies=copies,
    )


def read_split(path: Path) -> dict[str, list[str]]:
    """Split → people."""
    found: dict[str, list[str]] = {}
    for row in csv.DictReader(_text(path).splitlines()):
        found.setdefault(row["split"], []).append(row["subject_id"])
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def windows_of(folder: Path, people: list[str], step: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, 6, 100) in m/s² and rad/s, and (n,)."""
    parts = [windows(x, y, step) for person in people for x, y in recordings(folder / f"{person}.npz")]
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


def recordings(path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """The watch's recordings of one person: (samples, 6) and (samples,)."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = [n.removesuffix("_x") for n in arrays.files if n.endswith("_sw_x")]
            return [(arrays[f"{n}_x"] * UNITS, arrays[f"{n}_y"].astype(np.int64)) for n in names]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a person's recordings: {error}") from error


def windows(x: np.ndarray, y: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows of a recording (samples, 6), and the class in the middle of each."""
    if len(x) < WINDOW:
        return np.empty((0, x.shape[1], WINDOW), np.float32), np.empty(0, np.int64)
    cut = sliding_window_view(x, WINDOW, axis=0)[::step]  # (n, 6, 100)
    return np.ascontiguousarray(cut, np.float32), y[WINDOW // 2 :][::step][: len(cut)]


def vary(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """As a strap a little turned, another person's vigour and another watch might give it."""
    batch, _, samples = x.shape
    turn = torch.randn(batch, 3, 3, generator=generator) * 0.15
    rotation = torch.linalg.matrix_exp(turn - turn.transpose(1, 2))
    parts = [torch.bmm(rotation, part) for part in x.split(3, dim=1)]
    vigour = torch.exp(0.15 * torch.randn(batch, 2, 1, generator=generator)).repeat_interleave(3, dim=1)
    noise = 0.05 * torch.randn(batch, 6, samples, generator=generator)
    return vigour * torch.cat(parts, dim=1) + noise


def copies(x: np.ndarray) -> list[np.ndarray]:
    """The windows as they are, and varied once."""
    return [x, vary(torch.from_numpy(x), torch.Generator().manual_seed(0)).numpy()]

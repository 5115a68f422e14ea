"""What a benchmark needs to know of a problem: arrays, splits, and how its teacher is trained."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pintsize.errors import DataError

#: names the folder that holds the data sets
DATA_VARIABLE = "PINTSIZE_DATA"

Augment = Callable[[torch.Tensor, torch.Generator], torch.Tensor]


@dataclass(frozen=True)
class Schedule:
    """How long and how hard a teacher trains: AdamW under one cycle of the learning rate.

    `class_weights` weigh the loss of each class, where classes are of very different sizes.
    """

    epochs: int
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    class_weights: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Task:
    """A data set in the shape its model takes: float32, channels first, standardized on train.

    Labels are int64 indices into `labels`. `tests` maps the name of a test set to its (x, y).
    `augment` varies a training batch and leaves its shape alone; `copies` gives varied copies of the whole training
    part, from which the student learns (it sees arrays, not the augmentation).
    """

    name: str
    labels: tuple[str, ...]
    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    tests: Mapping[str, tuple[np.ndarray, np.ndarray]]
    make_teacher: Callable[[], nn.Module]
    augment: Augment
    schedule: Schedule
    copies: Callable[[np.ndarray], list[np.ndarray]] = lambda x: [x]


def data_root(option: Path | None = None) -> Path:
    """The folder of data sets: the option, else the environment variable PINTSIZE_DATA.

    Raises:
        DataError: neither is given, or there is no such folder.
    """
    given = option or os.environ.get(DATA_VARIABLE)
    if not given:
        raise DataError(f"no data folder: pass --data FOLDER or set {DATA_VARIABLE}")
    root = Path(given)
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: --data and {DATA_VARIABLE} name the folder of data sets")
    return root


def data_set(root: Path, name: str) -> Path:
    """The folder of one data set. Raises DataError where the root lacks it."""
    folder = root / name
    if not folder.is_dir():
        raise DataError(f"{root} has no data set '{name}': this benchmark reads the folder of that name")
    return folder


@dataclass(frozen=True)
class Standard:
    """Mean and deviation that bring inputs to zero mean and unit deviation."""

    mean: np.ndarray
    deviation: np.ndarray

    @staticmethod
    def of(x: np.ndarray, axes: tuple[int, ...]) -> Standard:
        """Measured over `axes`; the others keep their own mean and deviation."""
        return Standard(x.mean(axes, keepdims=True), x.std(axes, keepdims=True) + 1e-6)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return ((x - self.mean) / self.deviation).astype(np.float32)

"""What is right, and the figures of it: windows of two seconds of other people."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: samples of the window that a decision is judged by: two seconds
JUDGED = 100
#: samples from one window to the next where windows are drawn as for the forest: a second
FOREST_STEP = 50


def middles(
    doing: NDArray[np.int64], step: int, back: int = JUDGED // 2
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Which decisions (one after each `step` samples) end a window, and the label `back` samples before that end."""
    ends = np.arange(step, len(doing) + 1, step)
    whole = ends >= JUDGED
    return np.flatnonzero(whole), doing[ends[whole] - back]


def majorities(
    doing: NDArray[np.int64], step: int, labels: int
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """The decisions that end a window of each second, and the label that most of the window's samples have."""
    ends = np.arange(JUDGED, len(doing) + 1, FOREST_STEP)
    most = [int(np.bincount(doing[end - JUDGED : end], minlength=labels).argmax()) for end in ends]
    return ends // step - 1, np.asarray(most, np.int64)


def macro_f1(told: NDArray[np.int64], right: NDArray[np.int64], labels: int) -> float:
    """F1 averaged over the labels that occur, each counting the same however rare; told: -1 where nothing is told."""
    there = [c for c in range(labels) if (right == c).any() or (told == c).any()]
    found = [2 * ((told == c) & (right == c)).sum() / ((told == c).sum() + (right == c).sum()) for c in there]
    return float(np.mean(found))

"""What is said of a classifier's answers: sensitivity, predictivity and F1 of each class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: classes of AAMI EC57; its fifth, Q, is left out: paced and unreadable beats
LABELS = ("N", "S", "V", "F")


def confusion(kinds: NDArray[np.int64], told: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts (there, told), the last row and column of beats that are not there or were not told (index -1)."""
    counts = np.zeros((len(LABELS) + 1, len(LABELS) + 1), np.int64)
    np.add.at(counts, (kinds, told), 1)
    return counts


def class_figures(counts: NDArray[np.int64]) -> dict[str, float]:
    """accuracy, and se, pp and f1 of each class by its name in lower case; NaN where there is nothing to divide by.

    accuracy counts beats that are not there, but were told, among all.
    """
    found = {"accuracy": _share(int(np.trace(counts[:-1, :-1])), int(counts.sum()))}
    for kind, label in enumerate(LABELS):
        name, right = label.lower(), int(counts[kind, kind])
        there, told = int(counts[kind].sum()), int(counts[:, kind].sum())
        found[f"{name}_se"], found[f"{name}_pp"] = _share(right, there), _share(right, told)
        found[f"{name}_f1"] = _share(2 * right, there + told)
    return found


def _share(part: int, of: int) -> float:
    return part / of if of else float("nan")

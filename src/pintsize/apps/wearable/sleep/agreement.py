"""Cohen's kappa: agreement beyond what chance gives.

Source: Cohen, "A coefficient of agreement for nominal scales", 1960.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def kappa(told: NDArray[np.int64], right: NDArray[np.int64], labels: int) -> float:
    """told, right: (n,) indices. NaN where both say one label alone."""
    counts = np.zeros((labels, labels))
    np.add.at(counts, (right, told), 1)
    n = counts.sum()
    by_chance = float((counts.sum(0) * counts.sum(1)).sum()) / n**2
    if by_chance == 1.0:
        return float("nan")
    return float((np.trace(counts) / n - by_chance) / (1 - by_chance))


def specificity(told: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    """The share of wake epochs (index 0) that are told as wake; NaN where there are none."""
    wake = right == 0
    return float((told[wake] == 0).mean()) if wake.any() else float("nan")

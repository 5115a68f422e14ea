"""How well scores rank: the area under the receiver operating characteristic."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def area_under_curve(scores: ArrayLike, positive: ArrayLike) -> float:
    """scores: (n,); positive: (n,) of bool. How often a positive's score is the larger one; ties count half.

    NaN where one of the two kinds is missing.
    """
    found, wanted = np.asarray(scores, np.float64), np.asarray(positive, bool)
    hits, others = int(wanted.sum()), int((~wanted).sum())
    if not hits or not others:
        return float("nan")
    _, place, ties = np.unique(found, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2.0)[place]
    return float((ranks[wanted].sum() - hits * (hits + 1) / 2.0) / (hits * others))

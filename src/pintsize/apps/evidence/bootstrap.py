"""How far a figure would move with other patients: whole groups are drawn again, never their parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import DataError

REPEATS = 1000
SHARE = 0.95


@dataclass(frozen=True)
class Interval:
    """A figure and where `share` of the figures of drawn-again groups lie; groups: how many there were to draw from."""

    value: float
    low: float
    high: float
    groups: int
    share: float = SHARE


def bootstrap(
    metric: Callable[[NDArray[np.intp]], float],
    groups: Sequence[str],
    repeats: int = REPEATS,
    seed: int = 0,
) -> Interval:
    """Percentile interval of a metric, groups drawn with replacement.

    metric: gets the indices of the answers to count, some of them more than once; NaN where it cannot be told, which
    leaves that draw out
    groups: (n,) whose each answer is
    Raises DataError for no answers. Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13;
    Field and Welsh, Bootstrapping clustered data, 2007.
    """
    if not len(groups):
        raise DataError("there are no answers to draw from")
    names, place = np.unique(np.asarray(groups), return_inverse=True)
    members = [np.flatnonzero(place == at) for at in range(len(names))]
    drawing = np.random.default_rng(seed)
    drawn = [
        metric(np.concatenate([members[at] for at in drawing.integers(len(names), size=len(names))]))
        for _ in range(repeats)
    ]
    value = float(metric(np.arange(len(groups))))
    told = np.asarray(drawn, np.float64)
    told = told[np.isfinite(told)]
    if not told.size:
        return Interval(value, float("nan"), float("nan"), len(names))
    low, high = np.quantile(told, [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return Interval(value, float(low), float(high), len(names))

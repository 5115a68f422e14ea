"""A forest on an epoch and those around it, and what it says of nights that were varied: what the network learns.

Source: Geurts et al., "Extremely randomized trees", 2006; Hinton et al., "Distilling the knowledge in a neural
network", 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.wearable.sleep.features import CLOCK, COLUMNS, LEAST, prepared
from pintsize.apps.wearable.sleep.nights import Recorded
from pintsize.errors import MissingExtra

Numbers = NDArray[np.float64]
#: varied copies of each night
COPIES = 3
TREES = 150
#: one epoch less on the clock
CLOCK_STEP = 1 / 1000
LATER = 60
#: of the truth against the forest's answer, in nights that were not varied
TRUTH = 0.3
#: wake is rare
WEIGHTS = np.array([3.0, 1.0, 1.2, 1.2])
LABELS = 4


@dataclass(frozen=True, eq=False)
class Lesson:
    """x: (epochs, 19) of a night; answer: (epochs, 4) what is to be said."""

    x: NDArray[np.float32]
    answer: NDArray[np.float32]


def lessons(nights: Sequence[Recorded], seed: int, trees: int = TREES) -> list[Lesson]:
    """Of each night, as it is and varied. Raises MissingExtra without scikit-learn and scipy."""
    try:
        from sklearn.ensemble import ExtraTreesClassifier
    except ImportError as error:
        raise MissingExtra("scikit-learn", "train") from error
    make: Any = ExtraTreesClassifier  # its stubs know no share of features
    forest = make(
        trees, min_samples_leaf=5, max_features=0.2, class_weight="balanced_subsample", bootstrap=True,
        random_state=seed,
    )  # fmt: skip
    amounts = [_amounts(night.features) for night in nights]
    forest.fit(
        np.concatenate([_seen(a) for a in amounts]), np.concatenate([night.stages for night in nights])
    )
    random = np.random.default_rng(seed)
    found: list[Lesson] = []
    for night, amount in zip(nights, amounts, strict=True):
        truth = np.eye(LABELS)[night.stages] * WEIGHTS
        found.append(_lesson(amount, (1 - TRUTH) * forest.predict_proba(_seen(amount)) + TRUTH * truth))
        for _ in range(COPIES):
            copy = _varied(amount, amounts[random.integers(len(amounts))], random)
            found.append(_lesson(copy, forest.predict_proba(_seen(copy))))
    return found


def _amounts(features: Numbers) -> Numbers:
    """(epochs, 35): logarithms, the clock as it is."""
    found = np.log2(np.maximum(features, 0.0) + LEAST)
    found[:, CLOCK] = features[:, CLOCK]
    return found


def _lesson(amounts: Numbers, answer: Numbers) -> Lesson:
    features = np.exp2(amounts) - LEAST
    features[:, CLOCK] = amounts[:, CLOCK]
    return Lesson(prepared(features, np.ones(len(features), np.bool_)), answer.astype(np.float32))


def _seen(amounts: Numbers) -> Numbers:
    """(epochs, 5 · 32 + 3): what the forest is given."""
    from scipy.ndimage import gaussian_filter1d, maximum_filter1d, uniform_filter1d

    motion = np.delete(amounts, CLOCK, axis=1)
    motion = motion - np.median(motion, axis=0)
    around = [
        motion,
        uniform_filter1d(motion, 5, axis=0, mode="nearest"),
        uniform_filter1d(motion, 21, axis=0, mode="nearest"),
        maximum_filter1d(motion, 9, axis=0, mode="nearest"),
        gaussian_filter1d(motion, 20, axis=0, mode="nearest"),
    ]
    return np.concatenate([*around, amounts[:, CLOCK]], 1)


def _varied(amounts: Numbers, other: Numbers, random: np.random.Generator) -> Numbers:
    """Part of another night mixed in, other gains, and a clock that is up to half an hour off."""
    copy, count = amounts.copy(), min(len(amounts), len(other))
    begin = int(random.integers(0, len(amounts) - count + 1))
    share = 0.5 * random.beta(0.6, 0.6)
    body = slice(begin, begin + count)
    copy[body, : CLOCK[0]] = (1 - share) * amounts[body, : CLOCK[0]] + share * other[:count, : CLOCK[0]]
    copy[:, : CLOCK[0]] += random.normal(0, 0.3, (1, COLUMNS - len(CLOCK)))
    copy[:, : CLOCK[0]] += random.normal(0, 0.3, (len(copy), COLUMNS - len(CLOCK)))
    later = CLOCK_STEP * int(random.integers(-LATER, LATER + 1))
    copy[:, CLOCK[0]] += random.normal(0, 0.05)
    copy[:, CLOCK[1]] -= later
    copy[:, CLOCK[2]] += later
    return copy

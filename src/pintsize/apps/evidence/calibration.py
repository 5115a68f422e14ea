"""Whether a confidence of 0.9 is right nine times in ten."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pintsize.apps.evidence.answers import Answers

BINS = 15


@dataclass(frozen=True)
class Bin:
    """The answers whose confidence lies in one stretch: their number, mean confidence and share that is right."""

    count: int
    confidence: float
    right: float


def reliability(answers: Answers, bins: int = BINS) -> tuple[Bin, ...]:
    """The bins of equal width that hold answers, from low to high."""
    place = np.minimum((answers.confidence * bins).astype(np.int64), bins - 1)
    held = [place == at for at in range(bins)]
    return tuple(
        Bin(int(inside.sum()), float(answers.confidence[inside].mean()), float(answers.right[inside].mean()))
        for inside in held
        if inside.any()
    )


def expected_calibration_error(answers: Answers, bins: int = BINS) -> float:
    """Mean gap between confidence and share that is right, over bins of equal width.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
    """
    found = reliability(answers, bins)
    return sum(each.count * abs(each.confidence - each.right) for each in found) / len(answers.right)

"""What a piece answered on data that no training saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import DataError


@dataclass(frozen=True)
class Answers:
    """One piece's answers, n of them, those included that it would rather not have given.

    name: as a person reads it ("ECG beats"); confidence: (n,) in 0..1, calibrated; right: (n,)
    group: (n,) whose they are: answers of one patient, person or night are not independent
    abstains_below: the confidence under which the application says nothing; None where it always answers
    Raises DataError where these do not fit together.
    """

    name: str
    confidence: NDArray[np.float64]
    right: NDArray[np.bool_]
    group: Sequence[str]
    abstains_below: float | None = None

    def __post_init__(self) -> None:
        shapes = {self.confidence.shape, self.right.shape, (len(self.group),)}
        if len(shapes) != 1 or not self.confidence.size or self.confidence.ndim != 1:
            raise DataError(
                f"{self.name}: confidences {self.confidence.shape}, answers {self.right.shape} and groups "
                f"({len(self.group)},): one of each for every answer is needed, and at least one"
            )
        if not ((self.confidence >= 0) & (self.confidence <= 1)).all():
            raise DataError(f"{self.name}: a confidence is a number from 0 to 1")

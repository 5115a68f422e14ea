"""From a network's outputs to stages: wake where that is likely enough, else the likeliest kind of sleep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pintsize.errors import UserError
from pintsize.stream.decision import Calibration


@dataclass(frozen=True)
class Scoring:
    """wake: probability from which an epoch is wake; the first label is wake."""

    wake: float
    calibration: Calibration

    def __post_init__(self) -> None:
        if not 0.0 < self.wake < 1.0:
            raise UserError(f"a threshold of {self.wake} for wake: a probability within 0 and 1 is needed")

    @classmethod
    def read(cls, facts: Mapping[str, Any], calibration: Calibration) -> Scoring:
        return cls(float(facts["wake"]), calibration)

    def chances(self, outputs: ArrayLike) -> NDArray[np.float64]:
        """(epochs, labels) probabilities of (epochs, labels) outputs."""
        return self.calibration.probabilities(outputs)

    def stages(self, chances: NDArray[np.float64]) -> NDArray[np.int64]:
        """(epochs,) index of the label."""
        asleep = 1 + chances[:, 1:].argmax(1)
        return np.where(chances[:, 0] >= self.wake, 0, asleep)

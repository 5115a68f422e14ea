"""How sure it must be that an order is among the known intents.

The confidence is the probability of the best known intent, among them and "out of scope". The threshold is that which
clears both goals by the most, counted in the standard errors that the goals have on sentences as many as are there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pintsize.stream.decision import fit_temperature

#: share of orders in scope that are told with the right intent, and of those out of scope that are refused
GOAL_IN_SCOPE, GOAL_OUT_OF_SCOPE = 0.92, 0.60


@dataclass(frozen=True)
class Scope:
    """What was chosen, and the two shares on the sentences it was chosen by."""

    temperature: float
    least_confidence: float
    in_scope_accuracy: float
    out_of_scope_recall: float

    @property
    def figures(self) -> dict[str, float]:
        return {
            "choosing_in_scope_accuracy": self.in_scope_accuracy,
            "choosing_out_of_scope_recall": self.out_of_scope_recall,
        }


def choose_scope(logits: NDArray[np.float64], right: NDArray[np.int64]) -> Scope:
    """logits: (n, intents + 1), out of scope last; right: (n,) indices."""
    outside = logits.shape[1] - 1
    calibration = fit_temperature(logits, right)
    chances = calibration.probabilities(logits)[:, :outside]
    confidence, hit = chances.max(1), chances.argmax(1) == right
    inside = right != outside
    levels = np.unique(confidence)
    accuracy = np.array([(hit & (confidence >= x))[inside].mean() for x in levels])
    recall = np.array([(confidence < x)[~inside].mean() for x in levels])
    spare = np.minimum(
        (accuracy - GOAL_IN_SCOPE) / _error(GOAL_IN_SCOPE, int(inside.sum())),
        (recall - GOAL_OUT_OF_SCOPE) / _error(GOAL_OUT_OF_SCOPE, int((~inside).sum())),
    )
    best = int(spare.argmax())
    return Scope(calibration.temperature, float(levels[best]), float(accuracy[best]), float(recall[best]))


def _error(share: float, count: int) -> float:
    return float(np.sqrt(share * (1 - share) / max(1, count)))

"""Probabilities that mean what they say: one temperature for all scores.

Source: Guo et al., "On Calibration of Modern Neural Networks", 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pintsize.errors import DataError
from pintsize.stream.decision.decision import Decision
from pintsize.stream.decision.stage import Stage, require_positive

Scores = Literal["logits", "probabilities"]
Numbers = NDArray[np.float64]

_LEAST = 1e-12
_COLDEST, _HOTTEST = 0.05, 20.0
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Calibration:
    """Turns a model's outputs into probabilities.

    temperature: above 1 makes them less sure, below 1 surer; it never changes which class is the best.
    scores: what the model gives: logits, or probabilities of a softmax of its own.
    """

    temperature: float = 1.0
    scores: Scores = "logits"

    def __post_init__(self) -> None:
        require_positive("calibration", temperature=self.temperature)

    def probabilities(self, outputs: ArrayLike) -> Numbers:
        """outputs: (…, classes). One output alone is the logit (probability) of the only class."""
        given = np.asarray(outputs, np.float64)
        if given.shape[-1] == 1:
            return 1.0 / (1.0 + np.exp(-np.clip(self._one_logit(given) / self.temperature, -500, 500)))
        return softmax(self._logits(given) / self.temperature)

    def _logits(self, given: Numbers) -> Numbers:
        return given if self.scores == "logits" else np.log(np.maximum(given, _LEAST))

    def _one_logit(self, given: Numbers) -> Numbers:
        if self.scores == "logits":
            return given
        inside = np.clip(given, _LEAST, 1 - _LEAST)
        return np.log(inside) - np.log1p(-inside)


class Calibrated:
    """A stage that is given a model's outputs where the one within wants probabilities."""

    def __init__(self, calibration: Calibration, stage: Stage[Numbers, Decision]) -> None:
        self._calibration, self._stage = calibration, stage

    def update(self, time_s: float, value: ArrayLike | None) -> Decision | None:
        """value: (classes,) outputs."""
        given = None if value is None else self._calibration.probabilities(value)
        return self._stage.update(time_s, given)

    def reset(self, reason: str) -> Decision | None:
        return self._stage.reset(reason)

    def finish(self, time_s: float) -> Decision | None:
        return self._stage.finish(time_s)


def softmax(logits: Numbers) -> Numbers:
    """Over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def fit_temperature(outputs: ArrayLike, targets: ArrayLike, scores: Scores = "logits") -> Calibration:
    """The temperature, 0.05 to 20, under which held-out samples are most likely.

    outputs: (n, classes) of the model, two classes at least; targets: (n,) indices of the right ones.
    The log-likelihood is concave in 1/temperature, so a golden-section search finds the one best.
    Raises DataError for samples that do not fit together.
    """
    given, right = np.asarray(outputs, np.float64), np.asarray(targets, np.int64)
    if given.ndim != 2 or given.shape[1] < 2 or len(given) != len(right) or not len(right):
        raise DataError(f"outputs {given.shape} and targets {right.shape} do not fit: (n, classes) and (n,)")
    low, high = 1 / _HOTTEST, 1 / _COLDEST
    while high - low > 1e-6 * high:
        left, middle = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if _loss(given, right, Calibration(1 / left, scores)) < _loss(
            given, right, Calibration(1 / middle, scores)
        ):
            high = middle
        else:
            low = left
    return Calibration(2 / (low + high), scores)


def _loss(outputs: Numbers, targets: NDArray[np.int64], calibration: Calibration) -> float:
    """Mean negative log-likelihood."""
    chosen = calibration.probabilities(outputs)[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(chosen, _LEAST)).mean())


def calibration_error(probabilities: ArrayLike, targets: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error: how far confidence and accuracy of the best class lie apart, mean over samples."""
    given, right = np.asarray(probabilities, np.float64), np.asarray(targets)
    confidence = given.max(axis=-1)
    hit = given.argmax(axis=-1) == right
    box = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(box, hit - confidence, bins)
    return float(np.abs(gaps).sum() / len(right))

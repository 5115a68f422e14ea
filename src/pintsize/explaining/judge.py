"""How far a network's answers are from the teacher's, sample by sample, so that two networks can be told apart."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from pintsize.compress.lesson import Goal
from pintsize.explaining.mixture import Mixture, outputs
from pintsize.verify import accuracy

#: a gain is one when it is so many standard errors above 0 …
ERRORS = 2.0
#: … and at least so large (nats, or share of the variance) and this share of what is lost …
LEAST_GAIN = 0.003
LEAST_SHARE = 0.05
#: … or when so many more answers are right, and they too by so many standard errors
LEAST_ACCURACY = 0.002


@dataclass(frozen=True, eq=False)
class Score:
    """accuracy: as in `verify.accuracy`; right (n,): which answers are (none for values); divergence: mean of `each`.

    `each` is, per sample, the Kullback-Leibler divergence of the answers from the teacher's in nats; for values, the
    squared error in units of their variance.
    """

    accuracy: float
    right: np.ndarray
    each: np.ndarray

    @property
    def divergence(self) -> float:
        return float(self.each.mean())


@dataclass(frozen=True, eq=False)
class Judge:
    """x (n, *input shape), y (n,) or None; answers (n, outputs): the teacher's."""

    x: np.ndarray
    y: np.ndarray | None
    answers: np.ndarray
    goal: Goal

    def __call__(self, mixture: Mixture) -> Score:
        return self.score(outputs(mixture, self.x))

    def score(self, found: np.ndarray) -> Score:
        """Of outputs (n, outputs)."""
        share = accuracy(found, self.y, self.answers, self.goal)
        if self.goal == "values":
            return Score(share, np.zeros(len(found)), _squared(found, self.answers))
        wanted = self.answers.argmax(1) if self.y is None else self.y
        return Score(share, found.argmax(1) == wanted, _divergence(found, self.answers))


def _divergence(found: np.ndarray, answers: np.ndarray) -> np.ndarray:
    wanted, given = _log_softmax(answers), _log_softmax(found)
    return (np.exp(wanted) * (wanted - given)).sum(1)


def _log_softmax(x: np.ndarray) -> np.ndarray:
    shifted = x.astype(np.float64) - x.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


def _squared(found: np.ndarray, answers: np.ndarray) -> np.ndarray:
    spread = np.square(answers - answers.mean(0), dtype=np.float64).sum(1).mean()
    return np.square(found.astype(np.float64) - answers).sum(1) / max(float(spread), 1e-12)


def gain(before: Score, after: Score) -> float:
    """How much nearer to the teacher."""
    return before.divergence - after.divergence


def is_measurable(before: Score, after: Score) -> bool:
    """Is the gain one? Not where measurably fewer answers are right."""
    gained = before.each - after.each
    if not _is_above(gained, 0.0) or has_more_right(after, before):
        return False
    return _is_above(gained, max(LEAST_GAIN, LEAST_SHARE * before.divergence)) or has_more_right(
        before, after
    )


def has_more_right(before: Score, after: Score) -> bool:
    """Are measurably more answers right?"""
    return _is_above(after.right.astype(float) - before.right, LEAST_ACCURACY)


def _is_above(each: np.ndarray, least: float) -> bool:
    """Is the mean above `least`, and certainly above 0?"""
    error = float(each.std()) / sqrt(len(each))
    return float(each.mean()) > max(least, ERRORS * error)

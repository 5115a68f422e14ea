"""How many of its answers are wrong when a piece only gives those that it is surest of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.evidence.answers import Answers


@dataclass(frozen=True)
class RiskCoverage:
    """coverage, risk: (k,) shares answered and, of those, wrong, by falling confidence; area: mean risk (AURC)."""

    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]
    area: float


def risk_coverage(answers: Answers) -> RiskCoverage:
    """The curve, with a point for each confidence that occurs: answers of equal confidence come together.

    Source: El-Yaniv and Wiener, On the Foundations of Noise-free Selective Classification, JMLR 2010; the area as in
    Geifman et al., ICLR 2019, with the expected order within ties.
    """
    order = np.argsort(-answers.confidence, kind="stable")
    confidence, wrong = answers.confidence[order], ~answers.right[order]
    ends = np.flatnonzero(np.append(np.diff(confidence) != 0, True))
    told = ends + 1.0
    risk = np.cumsum(wrong)[ends] / told
    widths = np.diff(told, prepend=0.0)
    return RiskCoverage(told / len(wrong), risk, float((risk * widths).sum() / len(wrong)))


def at_threshold(answers: Answers) -> tuple[float, float] | None:
    """(coverage, risk) where the application abstains; None where it never does, or always."""
    if answers.abstains_below is None:
        return None
    told = answers.confidence >= answers.abstains_below
    return (float(told.mean()), float((~answers.right[told]).mean())) if told.any() else None

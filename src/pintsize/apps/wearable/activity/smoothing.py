"""The decision behind the network, in integers: the same in C and here, code for code.

    sum[l]  = of the last `decisions` outputs' codes of label l
    best    = the label of the largest sum, the first of those that tie
    margin  = sum[best] − the largest of the others' sums

A label is told where margin ≥ least · (outputs summed), and none before `warm` outputs have come since a break.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import UserError


@dataclass(frozen=True)
class Rule:
    """decisions: outputs that are summed; warm: outputs after a break before anything is told; least: margin in codes
    per output.
    """

    decisions: int = 3
    warm: int = 20
    least: int = 0

    def __post_init__(self) -> None:
        if self.decisions < 1 or self.warm < self.decisions or self.least < 0:
            raise UserError(
                f"{self}: one decision or more, as many to warm up, and a margin of 0 or more are needed"
            )


@dataclass(frozen=True, eq=False)
class Smoothed:
    """label: index of the best, None where nothing may be told; mean: (labels,) codes."""

    label: int | None
    margin: float
    mean: NDArray[np.float64]


class Smoothing:
    """The last outputs of a network."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.reset()

    def reset(self) -> None:
        """A break: what came before counts no more."""
        self._kept: deque[NDArray[np.int64]] = deque(maxlen=self.rule.decisions)
        self.heard = 0

    def update(self, codes: NDArray[np.int64]) -> Smoothed:
        """codes: (labels,) of the next output."""
        self._kept.append(codes)
        self.heard += 1
        sums = np.sum(self._kept, axis=0)
        best = int(sums.argmax())
        margin = int(sums[best] - np.delete(sums, best).max())
        told = self.heard >= self.rule.warm and margin >= self.rule.least * len(self._kept)
        return Smoothed(best if told else None, margin / len(self._kept), sums / len(self._kept))

"""Which of the beats that were found are beats that are there: one to one, in order, within a tolerance.

Source: ANSI/AAMI EC57, which allows 150 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

TOLERANCE_S = 0.150


@dataclass(frozen=True, eq=False)
class Matched:
    """hits: (beats there,) the index of the one found for it, -1 where it was missed; found: how many were found."""

    hits: NDArray[np.int64]
    found: int

    @property
    def right(self) -> NDArray[np.bool_]:
        """(found,) whether there is a beat for it."""
        right = np.zeros(self.found, np.bool_)
        right[self.hits[self.hits >= 0]] = True
        return right


def matched(found: ArrayLike, there: ArrayLike, tolerance: float) -> Matched:
    """found, there: rising positions; tolerance in their unit. Of two that fit one beat the nearer one counts."""
    ours, theirs = np.asarray(found, np.float64), np.asarray(there, np.float64)
    hits = np.full(len(theirs), -1, np.int64)
    at = 0
    for beat, place in enumerate(theirs):
        while at < len(ours) and ours[at] < place - tolerance:
            at += 1
        if at < len(ours) and ours[at] <= place + tolerance:
            at = _nearer(ours, at, place, theirs[beat + 1] if beat + 1 < len(theirs) else np.inf)
            hits[beat] = at
            at += 1
    return Matched(hits, len(ours))


def _nearer(ours: NDArray[np.float64], at: int, place: float, following: float) -> int:
    """The next one, where it is nearer to this beat than the first and not nearer to the following one."""
    if at + 1 == len(ours):
        return at
    off, other = abs(ours[at] - place), abs(ours[at + 1] - place)
    return at + 1 if other < off and other < abs(ours[at + 1] - following) else at

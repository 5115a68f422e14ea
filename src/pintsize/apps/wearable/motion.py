"""How much somebody moves, by the second, from an accelerometer: whether a pulse can be read, and whether they rest."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

#: standard deviation of the acceleration's magnitude over a second, m/s²
SHAKEN, STILL = 1.5, 0.5
#: a shaken second spoils the pulse for so long; rest is that long without a second that is not still
SPOILT_S, REST_S = 4.0, 60.0


class Motion:
    """Told accelerations in m/s², block after block."""

    def __init__(self, rate_hz: float) -> None:
        self._second = max(2, round(rate_hz))
        self.reset()

    def reset(self) -> None:
        """What comes next does not follow what was."""
        self._left: NDArray[np.float64] = np.zeros(0)
        self._levels: deque[tuple[float, float]] = deque()
        self._since_s: float | None = None
        self._shaken_s: float | None = None

    def push(self, end_s: float, metres: NDArray[np.float64]) -> None:
        """metres: (n, 3) up to end_s."""
        self._left = np.concatenate([self._left, np.linalg.norm(metres, axis=1)])
        self._since_s = end_s if self._since_s is None else self._since_s
        while len(self._left) >= self._second:
            level = float(self._left[: self._second].std())
            self._left = self._left[self._second :]
            self._levels.append((end_s, level))
            self._shaken_s = end_s if level > SHAKEN else self._shaken_s
        while self._levels and self._levels[0][0] < end_s - REST_S:
            self._levels.popleft()

    def spoils(self, time_s: float) -> str | None:
        """Why a pulse at this time cannot be trusted."""
        if self._shaken_s is None or not 0 <= time_s - self._shaken_s <= SPOILT_S:
            return None
        return "motion: the accelerometer shakes"

    def at_rest(self, time_s: float) -> bool | None:
        """None where it is not known: there is no accelerometer, or not for long enough."""
        if self._since_s is None or not self._levels or time_s - self._levels[-1][0] > SPOILT_S:
            return None
        if any(level > STILL for _, level in self._levels):
            return False
        return True if time_s - self._since_s >= REST_S else None

"""The unit of an accelerometer, told by what gravity is in it: a body at rest is at 1 g."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STANDARD_GRAVITY = 9.80665
#: unit → what 1 g is in it
UNITS = {
    "m/s²": STANDARD_GRAVITY,
    "g": 1.0,
    "1/64 g": 64.0,
    "mg": 1000.0,
    "1/4096 g": 4096.0,
    "1/16384 g": 16384.0,
}
#: the middle magnitude is this near to one of these; they lie further apart
_NEAR = 0.25
_LEARN_S, _GIVE_UP_S = 4.0, 60.0


class Gravity:
    """Learns the unit from the first seconds.

    unit: None until it is known; reason: why it is not
    """

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._seen: NDArray[np.float64] = np.zeros(0)
        self.unit: str | None = None
        self.reason: str | None = "the accelerometer's unit is not known yet"

    def metres(self, samples: NDArray[np.floating]) -> NDArray[np.float64] | None:
        """samples (n, 3) in m/s²; None while the unit is not known."""
        if self.unit is None:
            self._learn(np.linalg.norm(samples.astype(np.float64), axis=1))
        if self.unit is None:
            return None
        return samples.astype(np.float64) * (STANDARD_GRAVITY / UNITS[self.unit])

    def _learn(self, magnitudes: NDArray[np.float64]) -> None:
        self._seen = np.concatenate([self._seen, magnitudes])
        if len(self._seen) < max(2, _LEARN_S * self._rate_hz):
            return
        middle = float(np.median(self._seen))
        near = [unit for unit, one in UNITS.items() if abs(middle / one - 1) < _NEAR]
        if near:
            self.unit, self.reason = near[0], None
            return
        self.reason = (
            f"accelerations are about {middle:.3g} where gravity should be 9.81 (m/s²), 1 (g) or 1000 (mg): without "
            "gravity in them, or in another unit"
        )
        self._seen = self._seen[-round(_GIVE_UP_S * self._rate_hz) :]

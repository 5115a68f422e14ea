"""Another voice out of the same clip: faster or slower with its pitch, brighter or duller."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Clip = NDArray[np.float32]


def at_speed(clip: Clip, speed: float) -> Clip:
    """Played `speed` times as fast, pitch and formants along with it, as a tape would; (n / speed,) samples."""
    if len(clip) < 2:
        return clip
    at = np.arange(0.0, len(clip) - 1, speed)
    return np.interp(at, np.arange(len(clip)), clip).astype(np.float32)


def tilted(clip: Clip, tilt: float) -> Clip:
    """Brighter (tilt above 0) or duller (below 0): less tilt times the sample before; tilt in -0.9 … 0.9."""
    if not len(clip):
        return clip
    before = np.concatenate([clip[:1], clip[:-1]])
    return ((clip - np.float32(tilt) * before) / np.float32(1.0 + abs(tilt) / 2)).astype(np.float32)

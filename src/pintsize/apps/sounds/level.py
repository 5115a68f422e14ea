"""How loud a clip is, and where in it the sound is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Clip = NDArray[np.float32]

#: so that silence has a level too
_LEAST_POWER = 1e-12
_FRAME_S = 0.01
#: frames whose energies are averaged before they are compared
_SMOOTHED = 5


def loudness_db(clip: Clip) -> float:
    """Mean power in dB below full scale (-120 for silence)."""
    power = float(np.mean(np.square(clip, dtype=np.float64))) if len(clip) else 0.0
    return 10.0 * float(np.log10(power + _LEAST_POWER))


def with_loudness(clip: Clip, db: float) -> Clip:
    """The clip at this mean power; silence stays as it is."""
    now = loudness_db(clip)
    if now <= 10.0 * np.log10(_LEAST_POWER) + 1.0:
        return clip
    return (clip * np.float32(10.0 ** ((db - now) / 20.0))).astype(np.float32)


def active_span(clip: Clip, rate_hz: float, below_db: float = 25.0) -> tuple[float, float]:
    """When the sound around the loudest moment begins and ends, in seconds.

    A frame of 10 ms (smoothed over five) counts while its energy is within `below_db` of the loudest and above twice
    the noise floor, which is the tenth percentile. Gaps below 0.15 s do not end it.
    """
    length = max(1, round(_FRAME_S * rate_hz))
    frames = len(clip) // length
    if frames < _SMOOTHED:
        return 0.0, len(clip) / rate_hz
    energy = np.square(clip[: frames * length].astype(np.float64)).reshape(frames, length).mean(1)
    energy = np.convolve(energy, np.ones(_SMOOTHED) / _SMOOTHED, "same")
    floor = 2.0 * float(np.percentile(energy, 10))
    least = max(float(energy.max()) * 10.0 ** (-below_db / 10.0), min(floor, float(energy.max()) / 10.0))
    loud = energy > least
    peak = int(energy.argmax())
    return _edge(loud[peak::-1], peak, -1) * _FRAME_S, (_edge(loud[peak:], peak, 1) + 1) * _FRAME_S


def _edge(loud: NDArray[np.bool_], start: int, step: int, gap_frames: int = 15) -> int:
    """The last loud frame from `start` on in this direction, before a gap."""
    where = np.flatnonzero(loud)
    breaks = np.flatnonzero(np.diff(where) > gap_frames)
    last = where[breaks[0]] if len(breaks) else (where[-1] if len(where) else 0)
    return start + step * int(last)

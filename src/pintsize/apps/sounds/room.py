"""What a room does to a voice: the direct sound, early reflections and a tail that dies away.

Source: Moorer, "About this reverberation business", 1979: a tail is noise that decays exponentially.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.sounds.level import loudness_db, with_loudness

Clip = NDArray[np.float32]

_EARLY_S = 0.04
_REFLECTIONS = 6


def room_response(
    random: np.random.Generator, decay_s: float, direct_db: float, rate_hz: float = 16_000
) -> Clip:
    """An impulse response whose tail falls by 60 dB in `decay_s`, and whose direct sound is `direct_db` above the rest.

    The direct sound is its first sample, so that nothing is delayed.
    """
    length = max(2, round(decay_s * rate_hz))
    time_s = np.arange(length) / rate_hz
    tail = random.standard_normal(length) * 10.0 ** (-3.0 * time_s / decay_s)
    tail = np.convolve(tail, (0.5, 0.5))[:length]  # walls swallow high frequencies
    early = random.integers(1, max(2, min(length, round(_EARLY_S * rate_hz))), _REFLECTIONS)
    tail[early] += random.uniform(-1.0, 1.0, _REFLECTIONS) * 10.0
    tail[0] = 0.0
    tail *= 10.0 ** (-direct_db / 20.0) / max(float(np.sqrt((tail**2).sum())), 1e-12)
    tail[0] = 1.0
    return tail.astype(np.float32)


def in_room(clip: Clip, response: Clip) -> Clip:
    """The clip as it sounds there, as long and as loud as it was."""
    size = 1 << (len(clip) + len(response) - 1).bit_length()
    spectrum = np.fft.rfft(clip, size) * np.fft.rfft(response, size)
    wet = np.fft.irfft(spectrum, size)[: len(clip)].astype(np.float32)
    return with_loudness(wet, loudness_db(clip))

"""A phrase in a window of fixed length: silence cut off, loudness evened out, the rest in the middle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.sounds import RATE_HZ, as_codes
from pintsize.errors import DataError

Clip = NDArray[np.float32]

#: of what is kept, as a share of full scale
LOUDNESS = 0.1
#: blocks of 10 ms, averaged over three, count as sound while they are within so many dB of the loudest
BLOCK = RATE_HZ // 100
SOUND_DB = 35.0
#: as a share of full scale; below it there is nothing to hear
SILENT = 3e-5


def trimmed(clip: Clip) -> Clip:
    """From the first loud block to the last, at the loudness that models are trained on; float32 (m,).

    clip: ±1 at 16 kHz. Raises DataError for less than 30 ms and for silence.
    """
    blocks = len(clip) // BLOCK
    if blocks < 3:
        raise DataError(f"{len(clip)} samples are no phrase: at least {3 * BLOCK} (30 ms) are needed")
    power = np.square(clip[: blocks * BLOCK], dtype=np.float64).reshape(blocks, BLOCK).mean(1)
    power = np.convolve(power, np.ones(3) / 3, "same")
    if power.max() < SILENT**2:
        raise DataError("nothing but silence: no phrase is in it")
    loud = np.flatnonzero(power > power.max() * 10 ** (-SOUND_DB / 10))
    kept = clip[loud[0] * BLOCK : (loud[-1] + 1) * BLOCK]
    level = float(np.sqrt(np.mean(np.square(kept, dtype=np.float64))))
    return (kept * np.float32(LOUDNESS / level)).astype(np.float32)


def centred(clip: Clip, samples: int) -> Clip:
    """Exactly so many samples: zeros on both sides, or the loudest run of that length."""
    if len(clip) > samples:
        energy = np.concatenate([[0.0], np.cumsum(np.square(clip, dtype=np.float64))])
        first = int(np.argmax(energy[samples:] - energy[:-samples]))
        return clip[first : first + samples]
    before = (samples - len(clip)) // 2
    return np.pad(clip, (before, samples - len(clip) - before))


def window_of(samples: NDArray[np.int16], length: int) -> NDArray[np.int16]:
    """int16 (n,) at 16 kHz → (length,), as an artifact takes it. Raises DataError as `trimmed` does."""
    clip = (np.asarray(samples).reshape(-1) / 32768.0).astype(np.float32)
    return as_codes(centred(trimmed(clip), length))

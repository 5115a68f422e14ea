"""The front-end of a phrase, as a Graph of integers and, for training, as torch computes it on varied spectra."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pintsize import Graph, frontend
from pintsize.apps.sounds import RATE_HZ

FFT = 512
#: between frames that the network sees, and between those of the spectra that are varied
HOP, FINE_HOP = 256, 128
LOW_HZ = 60.0
FLOOR = 2.0**-26


@dataclass(frozen=True)
class Features:
    """Of a window so long: log-mel bands up to `high_hz`."""

    seconds: float = 1.0
    bands: int = 32
    high_hz: float = 3800.0

    @property
    def samples(self) -> int:
        return round(self.seconds * RATE_HZ)

    @property
    def frames(self) -> int:
        return 1 + (self.samples - FFT) // HOP

    @property
    def bins(self) -> int:
        """Of the spectrum, from 0 Hz on, that the bands need when they are stretched by a quarter."""
        return min(FFT // 2, int(self.high_hz * FFT / RATE_HZ) + 8)

    def front_end(self) -> Graph:
        """int16 samples (n,) → (frames, bands)."""
        return frontend.log_mel(
            RATE_HZ, self.seconds, FFT / RATE_HZ, HOP / RATE_HZ, self.bands, FFT,
            low_hz=LOW_HZ, high_hz=self.high_hz, floor=FLOOR,
        )  # fmt: skip

    def triangles(self, warp: float = 1.0) -> NDArray[np.float32]:
        """(bins, bands): the mel bands of a vocal tract that is 1 / warp as long.

        Below a bound frequencies are multiplied by warp, above it they go straight on to the end of the bins. Source:
        Jaitly and Hinton, "Vocal tract length perturbation improves speech recognition", 2013.
        """
        corners = _hz(np.linspace(_mel(LOW_HZ), _mel(self.high_hz), self.bands + 2))
        end = self.bins * RATE_HZ / FFT
        bound = 0.8 * end * min(warp, 1.0) / warp
        beyond = end - (end - bound * warp) / (end - bound) * (end - corners)
        at = np.where(corners <= bound, corners * warp, beyond)
        hz = (np.arange(self.bins) * RATE_HZ / FFT)[:, None]
        rising, falling = (hz - at[:-2]) / (at[1:-1] - at[:-2]), (at[2:] - hz) / (at[2:] - at[1:-1])
        return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


def power_spectra(clip: NDArray[np.float32], bins: int) -> NDArray[np.float16]:
    """log2 of the power every 8 ms, (frames, bins): 0 is that of a constant 1, as in the front-end."""
    window = np.hanning(FFT + 1)[:-1].astype(np.float32)
    padded = np.pad(clip, (FFT // 2, FFT // 2 + FINE_HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::FINE_HOP] * window
    power = np.abs(np.fft.rfft(frames, axis=1)[:, :bins] / FFT) ** 2
    return np.log2(power + 1e-10).astype(np.float16)


def _mel(hz: float) -> float:
    return 2595.0 * float(np.log10(1.0 + hz / 700.0))


def _hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return 700.0 * (10 ** (mel / 2595.0) - 1.0)

"""Mel-frequency cepstral coefficients: windows, power spectra, mel bands, log, cosine transform.

Source: Davis and Mermelstein, "Comparison of Parametric Representations for Monosyllabic Word
Recognition", 1980; mel scale of O'Shaughnessy, 1987.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


@dataclass(frozen=True)
class Mfcc:
    """One second at 8 kHz becomes 49 frames of 10 coefficients.

    Every step has a fixed-point twin: a table of windows, a 512-point FFT, a sparse matrix of bands, a
    logarithm by bit position and table, and a small matrix.
    """

    rate_hz: int = 8000
    window_samples: int = 320  # 40 ms
    hop_samples: int = 160  # 20 ms
    fft_samples: int = 512
    bands: int = 32
    low_hz: float = 60.0
    high_hz: float = 3800.0
    coefficients: int = 10
    floor: float = 1e-3

    def __call__(self, clips: np.ndarray) -> np.ndarray:
        """Features (clips, 1, frames, coefficients) of sound (clips, samples) in -1..1."""
        return np.concatenate([self._features(c) for c in np.array_split(clips, -(-len(clips) // 256))])

    def _features(self, clips: np.ndarray) -> np.ndarray:
        windows = sliding_window_view(clips, self.window_samples, axis=1)[:, :: self.hop_samples]
        spectrum = np.fft.rfft(windows * np.hanning(self.window_samples), self.fft_samples)
        power = np.abs(spectrum).astype(np.float32) ** 2  # (clips, frames, bins)
        energies = power @ self.filters().T
        return (np.log(energies + self.floor) @ self.cosines().T)[:, None].astype(np.float32)

    def filters(self) -> np.ndarray:
        """Triangles that overlap by half, evenly spaced in mel, (bands, bins)."""
        edges = np.linspace(_mel(self.low_hz), _mel(self.high_hz), self.bands + 2)
        bins = _mel(np.fft.rfftfreq(self.fft_samples, 1 / self.rate_hz))
        spacing = edges[1] - edges[0]
        return np.maximum(0, 1 - np.abs(bins - edges[1:-1, None]) / spacing).astype(np.float32)

    def cosines(self) -> np.ndarray:
        """The orthonormal DCT-II, (coefficients, bands)."""
        k, n = np.arange(self.coefficients)[:, None], np.arange(self.bands)
        basis = np.cos(np.pi * k * (n + 0.5) / self.bands) * np.sqrt(2 / self.bands)
        basis[0] /= np.sqrt(2)
        return basis.astype(np.float32)


def _mel(frequency_hz: float | np.ndarray) -> np.ndarray:
    return 2595 * np.log10(1 + np.asarray(frequency_hz) / 700)

"""Logarithms of the energies in bands of a signal, frame by frame. Input (n,) of samples → (frames, bands).

    frame f     = samples f·hop … f·hop + window - 1, times a window, zeros up to `fft`; there is no padding, so a
                  signal has 1 + (n - window) // hop frames
    power[k]    = |Σ x[i]·w[i]·exp(-2πik/fft) / fft|²
    energy[m]   = Σ triangle[m, k]·power[k]
    out[f, m]   = per_octave · log2(energy[m] + floor)

Integers: `spectrum.py`, on codes less the zero point; a frame depends on its own samples alone, so `window` samples
give a frame: a stream keeps the last window - hop samples, adds hop new ones, and gets the same integers. The
logarithm with 15 fractional bits, plus that of the input's scale, is requantized by per_octave / 2^15 / s_out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, get_args

import numpy as np

from pintsize.arithmetic import Grid, Quantized, requantize
from pintsize.deferred import F, torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.example import Example, array
from pintsize.spectrum import (
    LARGEST_FFT,
    LOG_BITS,
    SMALLEST_FFT,
    Bands,
    BandScale,
    WindowKind,
    band_corners_hz,
    band_weights,
    bands_of,
    log_energies,
    window_shape,
)

LARGEST_FLOOR = 1.0


@dataclass(frozen=True)
class LogMel(Op):
    """`window`, `hop` and `fft` count samples. per_octave: what a doubled energy adds (3.0103 gives decibels, 0.6931
    natural logarithms); floor: least energy, where a constant signal of 1 in every sample has an energy of 1.
    """

    name: ClassVar[str] = "log_mel"
    activations: ClassVar[int | None] = 1
    int16: ClassVar[bool] = True
    any_width: ClassVar[bool] = True
    rate_hz: float = 16000.0
    window: int = 400
    hop: int = 160
    fft: int = 512
    bands: int = 40
    low_hz: float = 20.0
    high_hz: float = 7600.0
    per_octave: float = 1.0
    floor: float = 1e-10
    shape_of_window: WindowKind = "hann"
    scale: BandScale = "mel"

    def __post_init__(self) -> None:
        if self.fft not in (1 << i for i in range(SMALLEST_FFT.bit_length() - 1, LARGEST_FFT.bit_length())):
            raise ValueError(
                f"log_mel: fft {self.fft} must be a power of two in {SMALLEST_FFT}..{LARGEST_FFT}"
            )
        if not (2 <= self.window <= self.fft and self.window % 2 == 0 and self.hop >= 1):
            raise ValueError(
                f"log_mel: window {self.window} must be even, 2..{self.fft} (the fft), and hop {self.hop} at least 1"
            )
        if not (self.bands >= 1 and 0 <= self.low_hz < self.high_hz <= self.rate_hz / 2):
            raise ValueError(
                f"log_mel: {self.bands} bands from {self.low_hz} to {self.high_hz} Hz: at least 1 band, and within "
                f"0..{self.rate_hz / 2} Hz, half the rate"
            )
        if not (self.per_octave > 0 and 0 < self.floor <= LARGEST_FLOOR):
            raise ValueError(
                f"log_mel: per_octave {self.per_octave} must be positive and floor {self.floor} in 0..{LARGEST_FLOOR}"
            )
        known = (get_args(WindowKind), get_args(BandScale))
        if self.shape_of_window not in known[0] or self.scale not in known[1]:
            raise ValueError(
                f"log_mel: window {self.shape_of_window!r} and scale {self.scale!r} must be one of {known}"
            )

    @property
    def corners_hz(self) -> np.ndarray:
        return band_corners_hz(self.scale, self.bands, self.low_hz, self.high_hz)

    @property
    def triangles(self) -> Bands:
        """The bands in whole numbers. Raises ValueError where one holds no bin."""
        return bands_of(self.corners_hz, self.rate_hz, self.fft)

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        x = inputs[0].shape
        if len(x) != 1 or x[0] < self.window:
            raise ValueError(f"log_mel: needs samples (n,), at least a window of {self.window}, not {x}")
        if self.triangles.count != self.bands:
            raise ValueError(
                f"log_mel: {self.bands} bands do not fit between {self.low_hz} and {self.high_hz} Hz"
            )
        return 1 + (x[0] - self.window) // self.hop, self.bands

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        frames = inputs[0].double().unfold(1, self.window, self.hop)  # (n, frames, window)
        weighed = frames * torch.from_numpy(window_shape(self.shape_of_window, self.window))
        x = torch.fft.rfft(F.pad(weighed, (0, self.fft - self.window))) / self.fft
        power = x.real.square() + x.imag.square()
        weights = torch.from_numpy(band_weights(self.corners_hz, self.rate_hz, self.fft))
        return (self.per_octave * torch.log2(power @ weights.T + self.floor)).float()

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x = inputs[0]
        codes = (x.q.detach() - x.zero_point).long().numpy()
        frames = np.lib.stride_tricks.sliding_window_view(codes, self.window, axis=1)[:, :: self.hop]
        rows = frames.reshape(-1, self.window)
        logs = log_energies(rows, self.shape_of_window, self.fft, self.triangles, float(x.scale), self.floor)
        acc = torch.from_numpy(logs.reshape(*frames.shape[:2], self.bands)).double()
        return requantize(acc, torch.tensor(self.step, dtype=torch.float64), out)

    @property
    def step(self) -> float:
        """What a logarithm of 1 with its fractional bits stands for."""
        return self.per_octave * 2.0**-LOG_BITS

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        return OverTime(0, self.hop, 0, self.window - 1)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        flow.keep(inputs[0])
        out = flow.new(self.bands)
        flow.keep(out)
        return out

    def inner_factors(self, inputs: Sequence[TensorType], out: TensorType) -> Sequence[float]:
        return (self.step / out.scale[0],)

    def macs(self, inputs: Sequence[TensorType], out: TensorType) -> int:
        """Of the window, of butterflies and the split of the spectrum (4 each), of powers (2) and of weights."""
        numbers = self.fft // 2
        stages = numbers.bit_length() - 1
        return out.shape[0] * (self.window + numbers * (2 * stages + 5))


_TINY = LogMel(16.0, 16, 8, 16, 1, 2.0, 6.0, 1.0, 2.0**-20, "rectangular", "linear")

EXAMPLES = (
    Example(  # an impulse of 16 has the power 1 in every bin: 1/2 + 1 + 1/2 of it, and nothing in the second frame
        _TINY,
        (array((24,), 0, 0, 16, *[0.0] * 21),),
        array((2, 1), 1, -20),
    ),
    Example(  # decibels of a wave of 4 samples with the amplitude 8: half of it at the peak of the triangle
        replace(_TINY, per_octave=3.0103),
        (array((16,), *[8.0, 0.0, -8.0, 0.0] * 4),),
        array((1, 1), 12.0412),
    ),
)

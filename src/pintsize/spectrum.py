"""Power spectra, filterbanks and logarithms of signals in whole numbers: one definition, in numpy.

A frame of `window` samples (int16 codes, or wider ones of int8 less their zero point) becomes N/2 complex numbers of
32 bits and is transformed in place:

    windowed  x · w, w with 14 fractional bits: exact in int32; samples 2i and 2i + 1 are one complex number
    stages    radix 2, each halved: (a ± w·b) / 2. a is shifted by one bit, each of the four products of w·b (w with
              15 fractional bits) by 16, all downwards. So nothing can overflow, and a signal of one code is still 2^13
    split     spectrum of N real numbers from that of N/2 complex ones, by products of the same kind
    power     (re² + im²) / 2^10 in 64 bits, downwards
    bands     triangles whose weights have 12 fractional bits; both sides of a segment add up to 1, so a bin costs one
              product. The sums stay below 2^63
    log2      the place of the leading bit, and a table of 32 segments for the fraction; 15 fractional bits
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

WindowKind = Literal["hann", "hamming", "rectangular"]
BandScale = Literal["mel", "linear"]

WINDOW_BITS = 14
TWIDDLE_BITS = 15
POWER_SHIFT = 10
WEIGHT_BITS = 12
LOG_BITS = 15
LOG_SEGMENT_BITS = 5
#: a sample code of 1 is 2^15 in the spectrum, whatever the size of the transform; energies have twice that, less the
#: shift of powers, plus the bits of weights
ENERGY_BITS = 2 * 15 - POWER_SHIFT + WEIGHT_BITS
SMALLEST_FFT, LARGEST_FFT = 16, 4096
#: frames that are transformed together: more need more memory and are no faster
ROWS_AT_ONCE = 512

_RAISED = {"hann": 0.5, "hamming": 0.54, "rectangular": 1.0}


def window_shape(kind: WindowKind, samples: int) -> np.ndarray:
    """A periodic window, float64 (samples,)."""
    mean = _RAISED[kind]
    return mean - (1.0 - mean) * np.cos(2 * np.pi * np.arange(samples) / samples)


@cache
def window_codes(kind: WindowKind, samples: int) -> np.ndarray:
    """The first half of the window and its middle, int64 (samples // 2 + 1,); the second half mirrors it."""
    return np.rint(window_shape(kind, samples)[: samples // 2 + 1] * (1 << WINDOW_BITS)).astype(np.int64)


@cache
def cosine_codes(fft: int) -> np.ndarray:
    """cos(2πk / fft) for k = 0 … fft/4, int64; backwards they are the sines."""
    angles = 2 * np.pi * np.arange(fft // 4 + 1) / fft
    codes = np.rint(np.cos(angles) * (1 << TWIDDLE_BITS)).astype(np.int64)
    return np.minimum(codes, (1 << TWIDDLE_BITS) - 1)


@dataclass(frozen=True)
class Bands:
    """Overlapping triangles over the bins of a spectrum.

    starts: the first bin of each segment between corners, and one past the last (bands + 2,); weights: per bin from
    starts[0] on how much of it belongs to the band that rises there, of 4096; the rest is of the band that falls.
    """

    starts: np.ndarray
    weights: np.ndarray

    @property
    def count(self) -> int:
        return len(self.starts) - 2


def band_corners_hz(scale: BandScale, bands: int, low_hz: float, high_hz: float) -> np.ndarray:
    """Corners of `bands` triangles, float64 (bands + 2,): evenly spaced in mel (HTK's 2595·log10(1 + f/700)) or Hz."""
    if scale == "linear":
        return np.linspace(low_hz, high_hz, bands + 2)
    low, high = (2595.0 * np.log10(1.0 + hz / 700.0) for hz in (low_hz, high_hz))
    return 700.0 * (10.0 ** (np.linspace(low, high, bands + 2) / 2595.0) - 1.0)


def band_weights(corners_hz: np.ndarray, rate_hz: float, fft: int) -> np.ndarray:
    """Triangles of height 1, linear in frequency: float64 (bands, fft // 2 + 1)."""
    bins_hz = np.arange(fft // 2 + 1) * (rate_hz / fft)
    low, peak, high = corners_hz[:-2, None], corners_hz[1:-1, None], corners_hz[2:, None]
    rising, falling = (bins_hz - low) / (peak - low), (high - bins_hz) / (high - peak)
    return np.maximum(0.0, np.minimum(rising, falling))


def bands_of(corners_hz: np.ndarray, rate_hz: float, fft: int) -> Bands:
    """The same triangles with weights of 12 fractional bits. Raises ValueError where one holds no bin."""
    bins_hz = np.arange(fft // 2 + 1) * (rate_hz / fft)
    starts = np.searchsorted(bins_hz, corners_hz[:-1])
    starts = np.append(starts, np.searchsorted(bins_hz, corners_hz[-1], side="right"))
    bins = np.arange(starts[0], starts[-1])
    segment = np.minimum(np.searchsorted(starts, bins, side="right") - 1, len(starts) - 2)
    along = (bins_hz[bins] - corners_hz[segment]) / np.diff(corners_hz)[segment]
    weights = np.rint(along * (1 << WEIGHT_BITS)).astype(np.int64)
    found = Bands(starts.astype(np.int64), weights)
    powers = np.ones((1, fft // 2 + 1), np.int64)
    empty = np.flatnonzero(band_energies(powers, found)[0] == 0)
    if len(empty):
        width_hz = corners_hz[empty[0] + 2] - corners_hz[empty[0]]
        raise ValueError(
            f"band {empty[0]} of {found.count} is {width_hz:.0f} Hz wide and holds no bin of {rate_hz / fft:.1f} Hz: "
            "fewer bands or a larger fft"
        )
    return found


def _product(a: np.ndarray, w: np.ndarray | np.int64) -> np.ndarray:
    """a · w / 2^16, downwards."""
    return (a * w) >> (TWIDDLE_BITS + 1)


@cache
def _reversed_bits(count: int) -> np.ndarray:
    bits = count.bit_length() - 1
    order = np.zeros(count, np.int64)
    for i in range(bits):
        order |= ((np.arange(count) >> i) & 1) << (bits - 1 - i)
    return order


def windowed(frames: np.ndarray, kind: WindowKind, fft: int) -> np.ndarray:
    """Frames of codes, int64 (n, window) → complex numbers in transform order, int64 (n, fft/2, 2)."""
    samples = frames.shape[1]
    at = np.arange(samples)
    weights = window_codes(kind, samples)[np.minimum(at, samples - at)]
    padded = np.zeros((len(frames), fft), np.int64)
    padded[:, :samples] = frames * weights
    return padded.reshape(len(frames), fft // 2, 2)[:, _reversed_bits(fft // 2)]


def transformed(z: np.ndarray, fft: int) -> np.ndarray:
    """Complex numbers in bit-reversed order, int64 (n, m, 2) → their Fourier transform / m, int64 (n, m, 2)."""
    re, im = z[..., 0], z[..., 1]
    count = re.shape[1]
    half = 1
    while half < count:
        re, im = _stage(re, im, half, fft)
        half *= 2
    return np.stack([re, im], -1)


def _stage(re: np.ndarray, im: np.ndarray, half: int, fft: int) -> tuple[np.ndarray, np.ndarray]:
    """Butterflies over blocks of 2 · half numbers."""
    rows, count = re.shape
    re, im = re.reshape(rows, -1, 2, half), im.reshape(rows, -1, 2, half)
    ar, ai = re[:, :, 0] >> 1, im[:, :, 0] >> 1
    tr, ti = _turned(re[:, :, 1], im[:, :, 1], fft)
    shape = (rows, count)
    out_re = np.stack([ar + tr, ar - tr], 2).reshape(shape)
    return out_re, np.stack([ai + ti, ai - ti], 2).reshape(shape)


def _turned(br: np.ndarray, bi: np.ndarray, fft: int) -> tuple[np.ndarray, np.ndarray]:
    """Half of b times exp(-iπj / half) for j = 0 … half - 1: from the middle on a quarter turn further."""
    half = br.shape[-1]
    if half == 1:
        return br >> 1, bi >> 1
    quarter = half // 2
    table, step = cosine_codes(fft), fft // (2 * half)
    c, s = table[np.arange(quarter) * step], table[fft // 4 - np.arange(quarter) * step]
    parts_r: list[np.ndarray] = []
    parts_i: list[np.ndarray] = []
    for part in (0, 1):
        r, i = br[..., part * quarter :][..., :quarter], bi[..., part * quarter :][..., :quarter]
        tr, ti = _product(r, c) + _product(i, s), _product(i, c) + _product(r, -s)
        tr[..., 0], ti[..., 0] = r[..., 0] >> 1, i[..., 0] >> 1
        parts_r.append(ti if part else tr)
        parts_i.append(-tr if part else ti)
    return np.concatenate(parts_r, -1), np.concatenate(parts_i, -1)


def spectrum(z: np.ndarray, fft: int) -> np.ndarray:
    """The transform / m of m = fft/2 complex numbers → the spectrum of fft real ones, int64 (n, m + 1, 2).

    In units of 2^-15 codes: Σ x[i] · w[i] · exp(-2πik/fft) / fft.
    """
    m = fft // 2
    k = np.arange(1, m // 2)
    a, b = z[:, k], z[:, m - k]
    even_r, even_i = (a[..., 0] + b[..., 0]) >> 1, (a[..., 1] - b[..., 1]) >> 1
    odd_r, odd_i = a[..., 1] + b[..., 1], b[..., 0] - a[..., 0]
    c, s = cosine_codes(fft)[k], cosine_codes(fft)[fft // 4 - k]
    tr, ti = _product(odd_r, c) + _product(odd_i, s), _product(odd_i, c) + _product(odd_r, -s)
    x = np.zeros((len(z), m + 1, 2), np.int64)
    x[:, 0, 0], x[:, m, 0] = z[:, 0, 0] + z[:, 0, 1], z[:, 0, 0] - z[:, 0, 1]
    x[:, m // 2] = z[:, m // 2] * np.array([1, -1])
    x[:, k] = np.stack([even_r + tr, even_i + ti], -1)
    x[:, m - k] = np.stack([even_r - tr, ti - even_i], -1)
    return x


def powers(x: np.ndarray) -> np.ndarray:
    """A spectrum (n, bins, 2) → int64 (n, bins)."""
    return (x * x).sum(-1) >> POWER_SHIFT


def band_energies(power: np.ndarray, bands: Bands) -> np.ndarray:
    """Powers (n, bins) → int64 (n, bands)."""
    starts = bands.starts
    taken = power[:, starts[0] : starts[-1]]
    sums = _summed(taken, starts)
    rising = _summed(taken * bands.weights, starts)
    return rising[:, :-1] + (sums << WEIGHT_BITS)[:, 1:] - rising[:, 1:]


def _summed(numbers: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Sums (n, segments) of the numbers (n, bins) between starts."""
    total = np.zeros((len(numbers), numbers.shape[1] + 1), np.uint64)
    # modulo 2^64; the differences are below 2^63
    np.cumsum(numbers.astype(np.uint64), axis=1, out=total[:, 1:])
    return np.diff(total[:, starts - starts[0]], axis=1).astype(np.int64)


@cache
def log2_codes() -> np.ndarray:
    """log2(1 + i / 32) for i = 0 … 32, int64 with 15 fractional bits."""
    steps = 1 << LOG_SEGMENT_BITS
    return np.rint(np.log2(1.0 + np.arange(steps + 1) / steps) * (1 << LOG_BITS)).astype(np.int64)


def log2(x: np.ndarray) -> np.ndarray:
    """log2 of whole numbers 1 … 2^63 - 1, int64 with 15 fractional bits; off by at most 0.0002."""
    place = np.zeros_like(x)
    for bits in (32, 16, 8, 4, 2, 1):
        place += np.where(x >> (place + bits) > 0, bits, 0)
    mantissa = np.where(place > 31, x >> np.maximum(place - 31, 0), x << np.maximum(31 - place, 0))
    segment = (mantissa >> (31 - LOG_SEGMENT_BITS)) - (1 << LOG_SEGMENT_BITS)
    along = (mantissa >> (15 - LOG_SEGMENT_BITS)) & 0xFFFF
    table = log2_codes()
    between = (table[segment + 1] - table[segment]) * along >> 16
    return (place << LOG_BITS) + table[segment] + between


def log_constants(scale: float, floor: float) -> tuple[int, int]:
    """(least energy, logarithm to add) for samples of this scale and a floor in real numbers."""
    step = float(np.float32(scale))
    least = min(floor / step**2 * 2.0**ENERGY_BITS, 2.0**62)
    octaves = 2.0 * float(np.log2(step)) - ENERGY_BITS
    return max(1, int(np.rint(least))), int(np.rint(octaves * (1 << LOG_BITS)))


def log_energies(
    frames: np.ndarray, kind: WindowKind, fft: int, bands: Bands, scale: float, floor: float
) -> np.ndarray:
    """Frames of sample codes, int64 (n, window) → logarithms (base 2) of real energies, int64 (n, bands)."""
    least, octaves = log_constants(scale, floor)
    found = np.empty((len(frames), bands.count), np.int64)
    for start in range(0, len(frames), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        z = transformed(windowed(frames[rows], kind, fft), fft)
        found[rows] = log2(band_energies(powers(spectrum(z, fft)), bands) + least) + octaves
    return found

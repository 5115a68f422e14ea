"""Signals and tables as somebody's watch would give them, made: the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.stream.block import Block
from pintsize.stream.sources.described import Described, Description

Real = NDArray[np.float64]
#: 2026-03-01 00:00 UTC
MARCH_S = 1_772_323_200.0


def beats_at(bpm: float, seconds: float, seed: int = 0, vary: float = 0.03) -> Real:
    """When the heart beats, with the small irregularity that hearts have."""
    random = np.random.default_rng(seed)
    count = int(bpm * (seconds + 4) / 60) + 4
    return np.cumsum(60 / bpm * (1 + vary * random.standard_normal(count))) - 60 / bpm


def pulse(beats_s: Real, seconds: float, rate_hz: float, noise: float = 0.05, seed: int = 0) -> Real:
    """A pulse wave of height 1: a rise of 0.18 s, a slower fall with a second wave in it, breathing, noise."""
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    last = np.searchsorted(beats_s, times_s, side="right") - 1
    length_s, since_s = beats_s[last + 1] - beats_s[last], times_s - beats_s[last]
    rise_s = np.minimum(0.18, 0.45 * length_s)
    rising = 0.5 - 0.5 * np.cos(np.pi * since_s / rise_s)
    wave = np.where(since_s < rise_s, rising, np.exp(-(since_s - rise_s) / (0.4 * length_s)))
    wave += 0.15 * np.exp(-(((since_s - 2.4 * rise_s) / 0.07) ** 2))
    breath = 0.5 * np.sin(2 * np.pi * 0.25 * times_s)
    return wave + breath + noise * np.random.default_rng(seed).standard_normal(len(times_s))


def electrocardiogram(
    beats_s: Real, seconds: float, rate_hz: float, noise: float = 0.03, seed: int = 0
) -> Real:
    """Sharp spikes of 1 mV with a wave behind each."""
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    random = np.random.default_rng(seed)
    trace = noise * random.standard_normal(len(times_s))
    for beat_s in beats_s[beats_s < seconds + 1]:
        after = times_s - beat_s
        trace += np.exp(-((after / 0.012) ** 2)) - 0.25 * np.exp(-(((after - 0.03) / 0.012) ** 2))
        trace += 0.25 * np.exp(-(((after - 0.28) / 0.06) ** 2))
    return trace


def write_table(
    path: Path, names: Sequence[str], times: Sequence[str | float], columns: Sequence[Real]
) -> Path:
    """A table with a column of times; NaN is an empty cell."""
    rows = [",".join(["time", *names])]
    for time, *values in zip(times, *columns, strict=True):
        cells = ["" if np.isnan(value) else f"{value:.6g}" for value in values]
        rows.append(",".join([str(time), *cells]))
    path.write_text("\n".join(rows) + "\n")
    return path


def resting(rate_hz: float, seconds: float, gravity: float = 9.81, seed: int = 0) -> list[Real]:
    """Accelerations x, y, z of a body that lies still."""
    noise = 0.005 * gravity * np.random.default_rng(seed).standard_normal((3, round(seconds * rate_hz)))
    return list(noise + np.array([0.0, 0.6, 0.8])[:, None] * gravity)


class Worn(Described):
    """Columns as a source, a second at a time. columns: (n, channels) at that rate, from start_s on."""

    def __init__(
        self, names: Sequence[str], columns: Sequence[Real], rate_hz: float, start_s: float = 0.0, name: str = "worn"
    ) -> None:  # fmt: skip
        super().__init__(Description(name, rate_hz, tuple(names)))
        self.samples = np.stack(columns, axis=1).astype(np.float32)
        self.start_s = start_s

    def blocks(self) -> Iterator[Block]:
        step = max(1, round(self.rate_hz))
        for index, first in enumerate(range(0, len(self.samples), step)):
            samples = self.samples[first : first + step]
            yield Block(samples, self.start_s + first / self.rate_hz, self.rate_hz, 0.0, index)

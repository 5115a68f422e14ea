"""Ranges of activations, read off sample data."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import Literal

import numpy as np
import torch

from pintsize.arithmetic import CODES, half_away
from pintsize.errors import DataError
from pintsize.graph import Graph
from pintsize.module import run_float

Calibration = Literal["min_max", "percentile", "mse"]
PERCENTILE = 99.95
LEAST_ACTIVATION_SCALE = 1e-8
#: values kept per tensor for percentiles and squared errors
KEPT_VALUES = 65536


@dataclass(frozen=True)
class Range:
    """Real numbers from low to high; 0 is always inside."""

    low: float
    high: float

    def grid(self, bits: int = 8) -> tuple[float, int]:
        """(scale, zero_point) of int8 codes that cover the range, 0 exactly representable; of int16 codes around 0."""
        low, high = min(self.low, 0.0), max(self.high, 0.0)
        if bits == 16:
            largest = max(-low, high) / CODES[bits][1]
            return float(np.float32(max(largest, LEAST_ACTIVATION_SCALE))) if largest else 1.0 / 32768.0, 0
        # nothing but zeros was seen: a step of ordinary size, so that what comes after all cannot overflow
        scale = (
            float(np.float32(max((high - low) / 255.0, LEAST_ACTIVATION_SCALE)))
            if high > low
            else 1.0 / 256.0
        )
        zero_point = int(half_away(-128.0 - low / scale))
        return scale, max(-128, min(127, zero_point))


def calibrate(
    graph: Graph, samples: np.ndarray, method: Calibration, batch: int = 128
) -> tuple[dict[str, Range], dict[str, np.ndarray]]:
    """Range of every activation, and its mean per channel, over samples (n, *input shape).

    Raises DataError when there is no sample.
    """
    if len(samples) == 0:
        raise DataError("calibration needs at least one sample")
    kept: dict[str, list[np.ndarray]] = {}
    extremes: dict[str, Range] = {}
    sums: dict[str, np.ndarray] = {}
    stride: dict[str, int] = {}

    def observe(name: str, value: torch.Tensor) -> None:
        y = value.numpy()
        low, high = float(y.min()), float(y.max())
        seen = extremes.get(name, Range(low, high))
        extremes[name] = Range(min(low, seen.low), max(high, seen.high))
        flat = y.reshape(-1)
        step = stride.setdefault(name, _stride(flat.size * -(-len(samples) // batch), y[0].size))
        kept.setdefault(name, []).append(flat[::step].copy())
        sums[name] = sums.get(name, 0.0) + y.reshape(-1, y.shape[-1]).mean(0, dtype=np.float64) * len(y)

    with torch.no_grad():
        for start in range(0, len(samples), batch):
            run_float(graph, torch.from_numpy(np.ascontiguousarray(samples[start : start + batch])), observe)
    ranges = {n: _range(np.concatenate(kept[n]), extremes[n], method) for n in kept}
    return ranges, {n: s / len(samples) for n, s in sums.items()}


def _stride(values: int, sample: int) -> int:
    """Steps between kept values: no axis of the sample shares a divisor with it, so no channel is passed over."""
    step = max(1, values // KEPT_VALUES)
    while gcd(step, sample) > 1:
        step += 1
    return step


def _range(values: np.ndarray, extremes: Range, method: Calibration) -> Range:
    if method == "min_max":
        return extremes
    if method == "percentile":
        low, high = np.percentile(values, [100.0 - PERCENTILE, PERCENTILE])
        return Range(min(float(low), 0.0), max(float(high), 0.0))
    return _least_squares(values.astype(np.float64), extremes)


def _least_squares(values: np.ndarray, extremes: Range) -> Range:
    """The range, shrunk towards 0 on both sides, whose grid has the least squared error."""
    candidates = [Range(extremes.low * s, extremes.high * s) for s in np.linspace(0.3, 1.0, 29)]
    return min(reversed(candidates), key=lambda c: _squared_error(values, c))


def _squared_error(values: np.ndarray, candidate: Range) -> float:
    scale, zero_point = candidate.grid()
    codes = np.clip(np.round(values / scale) + zero_point, -128, 127)
    return float((((codes - zero_point) * scale - values) ** 2).mean())

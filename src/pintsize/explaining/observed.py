"""What the numbers in a tensor are like: how far they reach, as a whole and channel by channel."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from pintsize.arithmetic import CODES
from pintsize.explaining.mixture import BATCH, MixedRun, Mixture, activations_of
from pintsize.graph import Graph, TensorType

#: all but one number in a thousand lie within this percentile of the magnitudes
PERCENTILE = 99.9
#: numbers kept per tensor for the percentile
KEPT_VALUES = 65536


@dataclass(frozen=True)
class Reach:
    """A tensor's numbers: least, largest, the 99.9th percentile of the magnitudes, root of the mean square."""

    low: float
    high: float
    usual: float
    rms: float

    @property
    def peak(self) -> float:
        return max(-self.low, self.high)


@dataclass(frozen=True, eq=False)
class Observed:
    """A tensor in the real-numbered network on some data.

    channel_peak, channel_spread, channel_mean (channels,): largest magnitude, largest less least number, and mean of
    each channel of the last axis; beyond: share of the numbers outside of what the tensor's codes can stand for.
    """

    reach: Reach
    channel_peak: np.ndarray
    channel_spread: np.ndarray
    channel_mean: np.ndarray
    beyond: float


@dataclass
class Tally:
    """Sums up one tensor, batch by batch."""

    kind: TensorType
    stride: int
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    total: np.ndarray | float = 0.0
    squares: float = 0.0
    count: int = 0
    outside: int = 0
    kept: list[np.ndarray] = field(default_factory=list)

    def add(self, value: torch.Tensor) -> None:
        rows = value.reshape(-1, value.shape[-1]).numpy()
        low, high = rows.min(0), rows.max(0)
        self.low = low if self.low is None else np.minimum(low, self.low)
        self.high = high if self.high is None else np.maximum(high, self.high)
        self.total = self.total + rows.sum(0, dtype=np.float64)
        self.squares += float(np.square(rows, dtype=np.float64).sum())
        self.count += rows.size
        self.kept.append(np.abs(rows.reshape(-1)[:: self.stride]))
        if self.kind.is_quantized:
            least, most = bounds(self.kind)
            half = self.kind.scale[0] / 2
            self.outside += int(((rows < least - half) | (rows > most + half)).sum())

    def result(self) -> Observed:
        assert self.low is not None and self.high is not None
        peak = np.maximum(np.abs(self.low), np.abs(self.high))
        usual = float(np.percentile(np.concatenate(self.kept), PERCENTILE))
        rms = float(np.sqrt(self.squares / self.count))
        reach = Reach(float(self.low.min()), float(self.high.max()), usual, rms)
        mean = np.asarray(self.total) / (self.count // len(peak))
        return Observed(reach, peak, self.high - self.low, mean, self.outside / self.count)


def bounds(kind: TensorType) -> tuple[float, float]:
    """The least and the largest real number that an activation's codes stand for."""
    low, high = CODES[kind.code_bits]
    return (low - kind.zero_point) * kind.scale[0], (high - kind.zero_point) * kind.scale[0]


def observe(annotated: Graph, x: np.ndarray) -> dict[str, Observed]:
    """Every activation of an annotated Graph run in real numbers, over inputs x (n, *input shape)."""
    kinds = {n: annotated.type(n) for n in activations_of(annotated)}
    tallies = {n: Tally(kind, max(1, kind.elements * len(x) // KEPT_VALUES)) for n, kind in kinds.items()}
    run = MixedRun(Mixture(annotated, frozenset(annotated.tensors)))
    with torch.no_grad():
        for start in range(0, len(x), BATCH):
            run(torch.from_numpy(x[start : start + BATCH]), lambda name, value: tallies[name].add(value))
    return {name: tally.result() for name, tally in tallies.items()}

"""Distances from the mean in standard deviations, over a window. Input (n,) or (n, channels) → the same shape.

    out[t, c] = (in[t, c] - mean[c]) / √(variance[c] + floor²), mean and variance over the n samples of a channel

Integers: `normalized` of arithmetic.py (see layer_norm) over time, with 12 fractional bits, requantized by
1 / 2^12 / s_out. The input's scale cancels out but for the floor, and so does what gain the signal came with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import (
    LAYER_NORM_BITS,
    LAYER_NORM_LARGEST_ROW,
    Grid,
    Quantized,
    normalized,
    requantize,
)
from pintsize.deferred import torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.example import Example, array
from pintsize.ops.signal import samples_of
from pintsize.ops.time_axis import of_whole


@dataclass(frozen=True)
class ZScore(Op):
    """floor: a standard deviation, in real numbers; signals much smaller are not made larger than that allows;
    rate_hz: of the input, 0 where it is not said.
    """

    name: ClassVar[str] = "z_score"
    activations: ClassVar[int | None] = 1
    int16: ClassVar[bool] = True
    any_width: ClassVar[bool] = True
    floor: float = 1e-3
    rate_hz: float = 0.0

    def __post_init__(self) -> None:
        if self.floor < 0:
            raise ValueError(f"z_score: floor {self.floor} must not be negative")

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        samples, _ = samples_of(self.name, inputs[0])
        if samples > LAYER_NORM_LARGEST_ROW:
            raise ValueError(f"z_score: {inputs[0].shape} over more than {LAYER_NORM_LARGEST_ROW} samples")
        return inputs[0].shape

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        x = inputs[0].double()
        variance, mean = torch.var_mean(x, 1, correction=0, keepdim=True)
        spread = (variance + self.floor**2).clamp(min=1e-30)
        return ((x - mean) / spread.sqrt()).float()

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x = inputs[0]
        unit = normalized(x.q.detach().movedim(1, -1), float(x.scale), self.floor**2).movedim(-1, 1)
        return requantize(unit, torch.tensor(2.0**-LAYER_NORM_BITS, dtype=torch.float64), out)

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        return of_whole(inputs[0], axes[0] or 0)

    def inner_factors(self, inputs: Sequence[TensorType], out: TensorType) -> Sequence[float]:
        return (2.0**-LAYER_NORM_BITS / out.scale[0],)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        if len(shapes[0]) == 1:
            flow.keep(inputs[0])
        return inputs[0]


EXAMPLES = (
    Example(ZScore(0.0), (array((2, 2), 3, -5, 7, 5),), array((2, 2), -1, -1, 1, 1)),
    Example(ZScore(), (array((4,), -2, 0, 0, 2),), array((4,), -1.4142128, 0, 0, 1.4142128)),
    Example(ZScore(3.0), (array((2,), -4, 4),), array((2,), -0.8, 0.8)),  # 4 of √(16 + 9)
)

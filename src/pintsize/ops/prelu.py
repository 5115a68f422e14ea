"""x where positive, slope · x where negative; slopes repeat where x is larger: one per channel is (C,).

Integers: positive (in - zero_point) is requantized by s_in / s_out, negative times (slope - zero_point_slope) by
s_in·s_slope / s_out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized, requantize, scale_product
from pintsize.deferred import torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.broadcast import aligned, broadcast_channels, broadcast_shape
from pintsize.ops.example import Example, array
from pintsize.ops.time_axis import column_by_column


@dataclass(frozen=True)
class Prelu(Op):
    """Inputs: x, and the slopes, a constant."""

    name: ClassVar[str] = "prelu"
    in_place: ClassVar[bool] = True
    operands: ClassVar[bool] = True
    activations: ClassVar[int | None] = 1

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        x, slope = inputs[0].shape, inputs[1].shape
        if broadcast_shape("prelu", x, slope) != x:
            raise ValueError(f"prelu: slopes {slope} must not be more than the numbers {x}")
        return x

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        x, slope = aligned(*inputs)
        return torch.where(x >= 0, x, x * slope)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x, slope = inputs
        steps, factors = aligned(x.q - x.zero_point, slope.q - slope.zero_point)
        falling = requantize(steps * factors, scale_product(x.scale, slope.scale), out)
        return torch.where(steps >= 0, requantize(steps, x.scale.double(), out), falling)

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        return column_by_column(inputs, axes)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        return broadcast_channels(inputs, flow)


EXAMPLES = (
    Example(Prelu(), (array((2, 2), -1, -2, 3, -4), array((2,), 0.5, -1)), array((2, 2), -0.5, 2, 3, 4)),
    Example(Prelu(), (array((3,), -1, 0, 2), array((1,), 0.25)), array((3,), -0.25, 0, 2)),
)

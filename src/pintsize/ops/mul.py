"""Product of two tensors; either may be a constant, and repeats where the other is larger (see broadcast.py).

    out = act(a · b)

Integers: acc = (a - zero_point_a) · (b - zero_point_b), requantized by s_a·s_b / s_out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized, requantize, scale_product
from pintsize.deferred import torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.activation import Activation, activate
from pintsize.ops.broadcast import aligned, broadcast_channels, broadcast_shape
from pintsize.ops.example import Example, array
from pintsize.ops.time_axis import column_by_column


@dataclass(frozen=True)
class Mul(Op):
    """Gates and squeeze-and-excitation, mostly."""

    name: ClassVar[str] = "mul"
    in_place: ClassVar[bool] = True
    int16: ClassVar[bool] = True
    operands: ClassVar[bool] = True
    integer_gradient: ClassVar[bool] = True
    activation: Activation = "none"

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        return broadcast_shape("mul", inputs[0].shape, inputs[1].shape)

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        a, b = aligned(*inputs)
        return activate(a * b, self.activation)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        a, b = inputs
        exact = torch.float64 if out.bits == 16 else torch.float32
        factor_a, factor_b = aligned((a.q - a.zero_point).to(exact), (b.q - b.zero_point).to(exact))
        return requantize(factor_a * factor_b, scale_product(a.scale, b.scale), out.bounded(self.activation))

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        return column_by_column(inputs, axes)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        return broadcast_channels(inputs, flow)


EXAMPLES = (
    Example(Mul(), (array((2,), 3, -2), array((2,), 0.5, 4)), array((2,), 1.5, -8)),
    Example(Mul("relu6"), (array((1, 1, 3), 1, 2, -1), array((1, 1, 3), 4, 5, 3)), array((1, 1, 3), 4, 6, 0)),
    Example(  # a gate per channel
        Mul(), (array((1, 2, 2), 1, 2, 3, 4), array((2,), 2, 0.5)), array((1, 2, 2), 2, 1, 6, 2)
    ),
    Example(  # a constant gate per channel
        Mul(),
        (array((2,), 2, 0.5), array((1, 2, 2), 1, 2, 3, 4)),
        array((1, 2, 2), 2, 1, 6, 2),
        constants=(0,),
    ),
)

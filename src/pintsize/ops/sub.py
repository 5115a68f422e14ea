"""Difference of two tensors; either may be a constant, and repeats where the other is larger (see broadcast.py).

    out = act(a - b)

Integers: as for a sum (add.py), with the second operand taken away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import (
    ADD_LEFT_SHIFT,
    Grid,
    Quantized,
    add_factors,
    look_up,
    requantize,
    rescaled_codes,
)
from pintsize.deferred import torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.activation import Activation, activate
from pintsize.ops.broadcast import aligned, broadcast_channels, broadcast_shape
from pintsize.ops.example import Example, array
from pintsize.ops.time_axis import column_by_column


@dataclass(frozen=True)
class Sub(Op):
    """The first minus the second."""

    name: ClassVar[str] = "sub"
    in_place: ClassVar[bool] = True
    operands: ClassVar[bool] = True
    activation: Activation = "none"

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        return broadcast_shape("sub", inputs[0].shape, inputs[1].shape)

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        a, b = aligned(*inputs)
        return activate(a - b, self.activation)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        a, b = inputs
        factors = add_factors(a.scale, b.scale, out.scale)
        left = look_up(rescaled_codes(a.zero_point, *factors.a, ADD_LEFT_SHIFT), a.q)
        right = look_up(rescaled_codes(b.zero_point, *factors.b, ADD_LEFT_SHIFT), b.q)
        left, right = aligned(left, right)
        return requantize(left - right, factors.sum_scale, out.bounded(self.activation))

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        return column_by_column(inputs, axes)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        return broadcast_channels(inputs, flow)


EXAMPLES = (
    Example(Sub(), (array((2,), 1, 2), array((2,), 3, -5)), array((2,), -2, 7)),
    Example(Sub("relu"), (array((2, 2), 1, 2, 3, 4), array((2, 1), 2, 3)), array((2, 2), 0, 0, 0, 1)),
    Example(  # from a constant
        Sub(),
        (array((1,), 1), array((1, 1, 3), 0.25, 0.5, 1)),
        array((1, 1, 3), 0.75, 0.5, 0),
        constants=(0,),
    ),
)

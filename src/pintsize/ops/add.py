"""Sum of two tensors; either may be a constant, and repeats where the other is larger (see broadcast.py).

    out = act(a + b)

Integers, as the 8-bit specification has it: both addends are brought to a common grid with 20 more bits
(2 · max(s_a, s_b) / 2^20), added in int32, and the sum requantized; with 15 more bits if they are int16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized, add_factors, left_shift, requantize, rescaled
from pintsize.deferred import torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.activation import Activation, activate
from pintsize.ops.broadcast import aligned, broadcast_channels, broadcast_shape
from pintsize.ops.example import Example, array
from pintsize.ops.time_axis import column_by_column


@dataclass(frozen=True)
class Add(Op):
    """Residual connections, mostly."""

    name: ClassVar[str] = "add"
    in_place: ClassVar[bool] = True
    int16: ClassVar[bool] = True
    operands: ClassVar[bool] = True
    activation: Activation = "none"

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        return broadcast_shape("add", inputs[0].shape, inputs[1].shape)

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        a, b = aligned(*inputs)
        return activate(a + b, self.activation)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        a, b = inputs
        factors = add_factors(a.scale, b.scale, out.scale, shift=left_shift(out.bits))
        addend_a, addend_b = aligned(rescaled(a, factors.a), rescaled(b, factors.b))
        return requantize(addend_a + addend_b, factors.sum_scale, out.bounded(self.activation))

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        return column_by_column(inputs, axes)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        return broadcast_channels(inputs, flow)


EXAMPLES = (
    Example(Add(), (array((2,), 1, 2), array((2,), 3, -5)), array((2,), 4, -3)),
    Example(Add("relu"), (array((1, 1, 2), 1, 2), array((1, 1, 2), 3, -5)), array((1, 1, 2), 4, 0)),
    Example(  # the second repeats
        Add(), (array((1, 2, 2), 1, 2, 3, 4), array((1, 1, 2), 10, -20)), array((1, 2, 2), 11, -18, 13, -16)
    ),
    Example(  # both repeat
        Add(), (array((2, 1), 1, 2), array((2,), 10, -20)), array((2, 2), 11, -19, 12, -18)
    ),
    Example(  # a constant per row
        Add(),
        (array((2, 2), 1, 2, 3, 4), array((2, 1), 10, -20)),
        array((2, 2), 11, 12, -17, -16),
        constants=(1,),
    ),
    Example(Add(), (array((1,), 5), array((2,), -1, -2)), array((2,), 4, 3), constants=(0,)),
)

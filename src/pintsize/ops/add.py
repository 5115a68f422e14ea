"""Sum of two tensors. Inputs (…, C) and the same, or a trailing part of it that repeats → the first's shape.

    out = act(a + b)

Integers, as the 8-bit specification has it: both addends are brought to a common grid with 20 more bits
(2 · max(s_a, s_b) / 2^20), added in int32, and the sum requantized.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from pintsize.arithmetic import (
    ADD_LEFT_SHIFT,
    Grid,
    Quantized,
    add_factors,
    look_up,
    requantize,
    rescaled_codes,
)
from pintsize.graph import Channels, Node, Op, TensorType
from pintsize.ops.activation import Activation, activate
from pintsize.ops.broadcast import broadcast_channels, broadcast_shape, trailing
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Add(Op):
    """Residual connections, mostly."""

    name: ClassVar[str] = "add"
    in_place: ClassVar[bool] = True
    activation: Activation = "none"

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        return broadcast_shape("add", inputs[0].shape, inputs[1].shape)

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        a, b = inputs
        return activate(a + trailing(b, a), self.activation)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        a, b = inputs
        factors = add_factors(a.scale, b.scale, out.scale)
        addend_a = look_up(rescaled_codes(a.zero_point, *factors.a, ADD_LEFT_SHIFT), a.q)
        addend_b = look_up(rescaled_codes(b.zero_point, *factors.b, ADD_LEFT_SHIFT), b.q)
        total = addend_a + trailing(addend_b, addend_a)
        return requantize(total, factors.sum_scale, out.bounded(self.activation))

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
)

"""Fully connected layer over the last axis. Input (…, C), weight (O, C), bias (O,) → (…, O).

    out[…, o] = act(bias[o] + Σ in[…, c] · weight[o, c])

Integers as in conv2d, with one weight scale per output.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized, exact_dtype, requantize_weighted, scale_product
from pintsize.deferred import F, torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.activation import Activation, activate
from pintsize.ops.example import Example, array
from pintsize.ops.time_axis import of_whole


@dataclass(frozen=True)
class Linear(Op):
    """A matrix product with constant weights."""

    name: ClassVar[str] = "linear"
    integer_gradient: ClassVar[bool] = True
    int16: ClassVar[bool] = True
    activations: ClassVar[int | None] = 1
    activation: Activation = "none"

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        x, w = inputs[0].shape, inputs[1].shape
        if not x or len(w) != 2 or x[-1] != w[1]:
            raise ValueError(
                f"linear: weight {w} does not fit input {x}; it must be (out, {x[-1] if x else '?'})"
            )
        return (*x[:-1], w[0])

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        x, w, b = inputs
        return activate(F.linear(x, w, b), self.activation)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x, w, b = inputs
        dtype = exact_dtype(w.q, x.zero_point, b.q, x.bits)
        acc = F.linear((x.q - x.zero_point).to(dtype), w.q.to(dtype), b.q.to(dtype))
        return requantize_weighted(acc, scale_product(x.scale, w.scale), out.bounded(self.activation))

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        axis = axes[0]
        if axis is not None and axis == len(inputs[0].shape) - 1:
            return of_whole(inputs[0], axis)
        return OverTime(axis)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        out = flow.new(shapes[1][0])
        flow.slice(node.inputs[1], 1, inputs[0])
        flow.slice(node.inputs[1], 0, out)
        flow.slice(node.inputs[2], 0, out)
        return out

    def macs(self, inputs: Sequence[TensorType], out: TensorType) -> int:
        return out.elements * inputs[1].shape[1]


EXAMPLES = (
    Example(
        Linear(),
        (array((3,), 1, 2, 3), array((2, 3), 1, 0, -1, 2, 1, 0), array((2,), 0.5, -1)),
        array((2,), -1.5, 3),
    ),
    Example(  # row by row
        Linear("relu"),
        (array((2, 2), 1, 2, 3, -4), array((2, 2), 1, 1, 0, -1), array((2,), 0, 1)),
        array((2, 2), 3, 0, 0, 5),
    ),
)

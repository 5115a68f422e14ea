"""Axes in another order. Input shape s → (s[axes[0]], s[axes[1]], …).

Integers: the codes move; input and output share one grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized
from pintsize.deferred import torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Transpose(Op):
    """`axes` leaves the batch out: (2, 0, 1) makes (H, W, C) into (C, H, W)."""

    name: ClassVar[str] = "transpose"
    ties_types: ClassVar[bool] = True
    integer_gradient: ClassVar[bool] = True
    int16: ClassVar[bool] = True
    follows_axes: ClassVar[bool] = True
    axes: tuple[int, ...] = ()

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        before = inputs[0].shape
        if sorted(self.axes) != list(range(len(before))):
            raise ValueError(
                f"transpose: axes {self.axes} must be an order of the {len(before)} axes of {before}"
            )
        if len(before) > 4:
            raise ValueError(f"transpose: {before} has {len(before)} axes; at most 4 are allowed")
        return tuple(before[a] for a in self.axes)

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return inputs[0].permute(0, *(a + 1 for a in self.axes)).contiguous()

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        return self.float_meaning([inputs[0].q])

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        axis = axes[0]
        return OverTime(None if axis is None else self.axes.index(axis))

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        ids = inputs[0]
        if ids.ndim > 1:
            return ids.reshape(*[1] * (len(self.axes) - ids.ndim), *ids.shape).transpose(self.axes)
        if self.axes[-1] == len(self.axes) - 1:
            return ids
        flow.keep(inputs[0])
        fixed = flow.new(shapes[0][self.axes[-1]])
        flow.keep(fixed)
        return fixed


EXAMPLES = (
    Example(Transpose((2, 0, 1)), (array((1, 2, 3), 1, 2, 3, 4, 5, 6),), array((3, 1, 2), 1, 4, 2, 5, 3, 6)),
    Example(Transpose((1, 0)), (array((2, 2), 1, 2, 3, 4),), array((2, 2), 1, 3, 2, 4)),
)

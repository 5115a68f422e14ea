"""Chosen indices along one axis, in any order, some more than once. Input shape s → s with len(indices) at the axis.

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
from pintsize.ops.axes import one_axis
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Gather(Op):
    """`axis` leaves the batch out; -1 is the last. Indices are not negative."""

    name: ClassVar[str] = "gather"
    ties_types: ClassVar[bool] = True
    integer_gradient: ClassVar[bool] = True
    indices: tuple[int, ...] = (0,)
    axis: int = 0

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        before = inputs[0].shape
        axis = one_axis("gather", self.axis, before)
        if not self.indices or min(self.indices) < 0 or max(self.indices) >= before[axis]:
            raise ValueError(
                f"gather: indices {self.indices} must lie in 0..{before[axis] - 1}, axis {axis} of {before}"
            )
        return (*before[:axis], len(self.indices), *before[axis + 1 :])

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        axis = self.axis % (inputs[0].dim() - 1) + 1
        return inputs[0].index_select(axis, torch.tensor(self.indices))

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        return self.float_meaning([inputs[0].q])

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        axis, rank = axes[0], len(inputs[0].shape)
        if axis == self.axis % rank:
            raise ValueError("it takes columns one by one along time; use a slice")
        return OverTime(axis)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        if self.axis % len(shapes[0]) != len(shapes[0]) - 1:
            return inputs[0]
        flow.keep(inputs[0])  # the indices count channels
        return inputs[0][list(self.indices)]


EXAMPLES = (
    Example(Gather((2, 0, 2), -1), (array((2, 3), 1, 2, 3, 4, 5, 6),), array((2, 3), 3, 1, 3, 6, 4, 6)),
    Example(Gather((1, 0)), (array((2, 1, 2), 1, 2, 3, 4),), array((2, 1, 2), 3, 4, 1, 2)),
)

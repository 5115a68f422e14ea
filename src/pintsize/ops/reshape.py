"""The same numbers in another shape. One axis of the target may be -1: as large as it needs to be.

Integers: nothing moves; input and output share one grid and, in the C program, one buffer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized
from pintsize.deferred import torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.example import Example, array
from pintsize.ops.time_axis import of_whole


@dataclass(frozen=True)
class Reshape(Op):
    """`target` leaves the batch out, as all shapes do."""

    name: ClassVar[str] = "reshape"
    ties_types: ClassVar[bool] = True
    integer_gradient: ClassVar[bool] = True
    int16: ClassVar[bool] = True
    in_place: ClassVar[bool] = True
    follows_axes: ClassVar[bool] = True
    target: tuple[int, ...] = (-1,)

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        elements = inputs[0].elements
        known = prod(n for n in self.target if n != -1)
        after = tuple(elements // known if n == -1 else n for n in self.target)
        if prod(after) != elements or self.target.count(-1) > 1:
            raise ValueError(f"reshape: {inputs[0].shape} has {elements} elements, {self.target} does not")
        return after

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return inputs[0].reshape(inputs[0].shape[0], *self.target)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        return self.float_meaning([inputs[0].q])

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        axis = axes[0] or 0
        before, after = inputs[0].shape, self.shape(inputs)
        for place, columns in enumerate(after):
            outside = prod(after[:place]) == prod(before[:axis])
            kept = outside and columns == before[axis]
            stacked = (
                outside
                and prod(before[:axis]) == 1
                and 1 < columns < before[axis]
                and not before[axis] % columns
            )
            if kept or stacked:
                stride = before[axis] // columns
                op = Reshape((*after[:place], -1, *after[place + 1 :]))
                return OverTime(place, stride, 0, stride - 1, op=op)
        return of_whole(inputs[0], axis)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        before, ids = shapes[0], inputs[0]
        after = self.shape([TensorType(before)])
        if ids.ndim == 1 and after[-1] % before[-1] == 0 and self.target[-1] == -1:
            return np.tile(ids, after[-1] // before[-1])
        if ids.ndim == 1 and self.target[-2:-1] == (-1,) and before[:-1] == after[:-2]:
            return _heads(ids, after[-1], flow)
        if self.target[-1] == -1 and before[-2:] == ids.shape[-2:] and before[:-2] == after[:-1]:
            return ids.reshape(-1)  # heads side by side again
        flow.keep(ids)
        fixed = flow.new(after[-1])
        flow.keep(fixed)
        return fixed


def _heads(ids: np.ndarray, size: int, flow: Channels) -> np.ndarray:
    """(…, C) → (…, heads, size): a head lives or dies as a whole."""
    heads = ids.reshape(-1, size)
    flow.unite(heads[:, :-1].reshape(-1), heads[:, 1:].reshape(-1))
    return heads


EXAMPLES = (
    Example(Reshape(), (array((1, 2, 2), 1, 2, 3, 4),), array((4,), 1, 2, 3, 4)),
    Example(Reshape((2, -1, 1)), (array((2, 2), 1, 2, 3, 4),), array((2, 2, 1), 1, 2, 3, 4)),
    Example(Reshape((2, 1, -1)), (array((1, 2, 2), 1, 2, 3, 4),), array((2, 1, 2), 1, 2, 3, 4)),
)

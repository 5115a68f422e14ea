"""Where the largest number along an axis is; the first of equals. Input shape s → s without the axis, or of length 1.

Integers: the index less 128, for the output's grid is fixed: scale 1, zero point -128, so 256 indices at most.
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
from pintsize.ops.time_axis import of_whole

LEAST_INDEX_CODE = -128
MOST_INDICES = 256


@dataclass(frozen=True)
class Argmax(Op):
    """`axis` leaves the batch out, -1 is the last; keep: does it stay, with length 1?"""

    name: ClassVar[str] = "argmax"
    axis: int = -1
    keep: bool = False

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        before = inputs[0].shape
        axis = one_axis("argmax", self.axis, before)
        if before[axis] > MOST_INDICES:
            raise ValueError(f"argmax: axis {axis} of {before} must have at most {MOST_INDICES} numbers")
        if len(before) == 1 and not self.keep:
            raise ValueError(f"argmax: the one axis of {before} must stay; keep it, then reshape")
        return (*before[:axis], *([1] if self.keep else []), *before[axis + 1 :])

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        x = inputs[0]
        return x.argmax(self.axis % (x.dim() - 1) + 1, keepdim=self.keep).to(x.dtype)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        return self.float_meaning([inputs[0].q.detach()]) + LEAST_INDEX_CODE

    def fixed_output(self) -> tuple[float, int]:
        return 1.0, LEAST_INDEX_CODE

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        axis, searched = axes[0], self.axis % len(inputs[0].shape)
        if axis is None or axis == searched:
            return of_whole(inputs[0], searched)
        return OverTime(axis - (axis > searched and not self.keep))

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        if self.axis % len(shapes[0]) != len(shapes[0]) - 1:
            return inputs[0]
        flow.keep(inputs[0])
        fixed = flow.new(self.shape([TensorType(shapes[0])])[-1])
        flow.keep(fixed)
        return fixed


EXAMPLES = (
    Example(Argmax(keep=True), (array((4,), 1, 5, -2, 5),), array((1,), 1)),
    Example(Argmax(), (array((2, 3), 1, 2, 3, 9, 8, 7),), array((2,), 2, 0)),
    Example(Argmax(0), (array((3, 2), 1, 2, 3, 0, 2, 9),), array((2,), 1, 2)),
)

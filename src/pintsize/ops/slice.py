"""Part of a tensor. Input shape s → per axis the indices begin, begin + stride, … before end.

Begin, end and stride mean what they mean in Python: beyond the end is cut off, negative counts from the end, a negative
stride goes backwards. Integers: the codes move; input and output share one grid.
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

#: an `end` that leaves an axis open
OPEN = 2**31 - 1


@dataclass(frozen=True)
class Slice(Op):
    """One begin, end and stride per leading axis, the batch left out; further axes are taken whole."""

    name: ClassVar[str] = "slice"
    ties_types: ClassVar[bool] = True
    integer_gradient: ClassVar[bool] = True
    int16: ClassVar[bool] = True
    begin: tuple[int, ...] = ()
    end: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()

    def ranges(self, shape: tuple[int, ...]) -> list[range]:
        """The indices taken along each axis."""
        given = [slice(*bounds) for bounds in zip(self.begin, self.end, self.stride, strict=True)]
        given += [slice(None)] * (len(shape) - len(given))
        return [range(*s.indices(n)) for s, n in zip(given, shape, strict=True)]

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        before = inputs[0].shape
        if not len(self.begin) == len(self.end) == len(self.stride) <= len(before) <= 4:
            raise ValueError(
                f"slice: needs one begin, end and stride for each of the {len(before)} axes of {before}, at most 4"
            )
        if 0 in self.stride:
            raise ValueError("slice: a stride must not be 0")
        after = tuple(len(taken) for taken in self.ranges(before))
        if 0 in after:
            raise ValueError(
                f"slice: {self.begin} to {self.end} by {self.stride} takes nothing from {before}"
            )
        return after

    def takes_all(self, shape: tuple[int, ...]) -> bool:
        """Whether nothing is left out or turned round."""
        return all(taken == range(n) for taken, n in zip(self.ranges(shape), shape, strict=True))

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        y = inputs[0]
        for axis, taken in enumerate(self.ranges(tuple(y.shape[1:])), 1):
            if len(taken) != y.shape[axis] or taken.step < 0:
                y = y.index_select(axis, torch.tensor(taken))
        return y

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        return self.float_meaning([inputs[0].q])

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        axis = axes[0] or 0
        taken = self.ranges(inputs[0].shape)
        if taken[axis].step < 0:
            raise ValueError("it turns time round: the last column would be needed first")
        bounds = [_bounds(one) for one in taken]
        bounds[axis] = (0, OPEN, taken[axis].step)
        begin, end, stride = (tuple(column) for column in zip(*bounds, strict=True))
        first = taken[axis].start
        return OverTime(axis, taken[axis].step, first, first, op=Slice(begin, end, stride))

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        taken = self.ranges(shapes[0])[-1]
        if taken != range(shapes[0][-1]):
            flow.keep(inputs[0])  # the indices count channels
        return inputs[0][np.array(taken)]


def _bounds(taken: range) -> tuple[int, int, int]:
    """Begin, end and stride of indices; counted backwards, the end may lie before the first."""
    return taken.start, taken.stop if taken.stop >= 0 else -OPEN, taken.step


EXAMPLES = (
    Example(  # the second half of the channels
        Slice((0, 0, 1), (OPEN, OPEN, OPEN), (1, 1, 1)),
        (array((1, 2, 2), 1, 2, 3, 4),),
        array((1, 2, 1), 2, 4),
    ),
    Example(  # every other row, columns backwards
        Slice((0, -1), (3, -4), (2, -1)),
        (array((3, 3), 1, 2, 3, 4, 5, 6, 7, 8, 9),),
        array((2, 3), 3, 2, 1, 9, 8, 7),
    ),
    Example(Slice((1,), (2,), (1,)), (array((3, 2), 1, 2, 3, 4, 5, 6),), array((1, 2), 3, 4)),
)

"""Concatenation along one axis, the last unless said otherwise: (…, C1), (…, C2), … → (…, C1 + C2 + …).

Integers: an input on the output's grid is copied; any other is requantized by s_in / s_out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized, requantize
from pintsize.deferred import torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.axes import one_axis
from pintsize.ops.example import Example, array
from pintsize.ops.time_axis import column_by_column


@dataclass(frozen=True)
class Concat(Op):
    """Joins channels, mostly. `axis` leaves the batch out; -1 is the last. Parts may be constants."""

    name: ClassVar[str] = "concat"
    ties_types: ClassVar[bool] = True
    integer_gradient: ClassVar[bool] = True
    int16: ClassVar[bool] = True
    operands: ClassVar[bool] = True
    axis: int = -1

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        axis = one_axis("concat", self.axis, inputs[0].shape)
        others = {(*t.shape[:axis], *t.shape[axis + 1 :]) for t in inputs if len(t.shape) > axis}
        if len(others) != 1 or len({len(t.shape) for t in inputs}) != 1:
            which = "the last axis" if axis == len(inputs[0].shape) - 1 else f"axis {axis}"
            raise ValueError(f"concat: shapes {[t.shape for t in inputs]} may differ only in {which}")
        before, after = inputs[0].shape[:axis], inputs[0].shape[axis + 1 :]
        return (*before, sum(t.shape[axis] for t in inputs), *after)

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        batch = max(len(x) for x in inputs)
        repeated = [x.expand(batch, *x.shape[1:]) for x in inputs]
        return torch.cat(repeated, self.axis % (inputs[0].dim() - 1) + 1)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        return self.float_meaning([on_grid(x, out) for x in inputs])

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        found = column_by_column(inputs, axes)
        if found.axis == self.axis % len(inputs[0].shape):
            raise ValueError("it joins along time; join channels, or pad in place of it")
        if any(axis is None for axis in axes):
            raise ValueError(
                "a part is not of the same time as the others; repeat it in the data, or leave it out"
            )
        return found

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        if self.axis % len(shapes[0]) == len(shapes[0]) - 1:
            return np.concatenate(list(inputs))
        for other in inputs[1:]:
            flow.unite(inputs[0], other)
        return inputs[0]


def on_grid(x: Quantized, out: Grid) -> torch.Tensor:
    """The codes of the same numbers on the output's grid."""
    if float(x.scale.detach()) == float(out.scale.detach()) and x.zero_point == out.zero_point:
        return x.q
    return requantize(x.q - x.zero_point, x.scale.double(), out)


EXAMPLES = (
    Example(
        Concat(),
        (array((1, 2, 1), 1, 2), array((1, 2, 2), -3, 4, 5, -6)),
        array((1, 2, 3), 1, -3, 4, 2, 5, -6),
    ),
    Example(Concat(), (array((1,), 1), array((2,), 2, 3), array((1,), -4)), array((4,), 1, 2, 3, -4)),
    Example(  # rows, one of them a constant
        Concat(0),
        (array((1, 2), 1, 2), array((1, 2), 3, 4), array((1, 2), 5, 6)),
        array((3, 2), 1, 2, 3, 4, 5, 6),
        constants=(1,),
    ),
)

"""Sums and means over whole axes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import prod

import numpy as np

from pintsize.arithmetic import Grid, Quantized, requantize_by
from pintsize.deferred import torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.axes import some_axes
from pintsize.ops.time_axis import of_whole

#: numbers of 8 bits whose sum stays below 2^30
MOST_SUMMED = 2**22


class Reduction(Op):
    """Abstract: a subclass has the attributes `axes` and `keep`, and gives `float_meaning` and `factor`.

    axes: those summed over, the batch left out; keep: do they stay, with length 1? Integers: the sum of the codes
    less the zero point, scaled by `factor`.
    """

    axes: tuple[int, ...]
    keep: bool

    @abstractmethod
    def factor(self, x: float, out: float, count: int) -> tuple[int, int]:
        """(multiplier, exponent) from the sum of `count` codes on scale x to codes on scale out."""

    def summed(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The axes counted from 0."""
        return some_axes(self.name, self.axes, shape)

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        before = inputs[0].shape
        if len(before) > 4:
            raise ValueError(f"{self.name}: {before} has {len(before)} axes; at most 4 are allowed")
        summed = self.summed(before)
        if prod(before[a] for a in summed) > MOST_SUMMED:
            raise ValueError(
                f"{self.name}: {before} over axes {summed} are more than {MOST_SUMMED} numbers to sum"
            )
        if len(summed) == len(before) and not self.keep:
            raise ValueError(
                f"{self.name}: one of the axes of {before} must stay; keep the axes, then reshape"
            )
        if self.keep:
            return tuple(1 if a in summed else n for a, n in enumerate(before))
        return tuple(n for a, n in enumerate(before) if a not in summed)

    def dims(self, x: torch.Tensor) -> tuple[int, ...]:
        """The axes as torch counts them, the batch among them."""
        return tuple(a + 1 for a in self.summed(tuple(x.shape[1:])))

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x = inputs[0]
        dims = self.dims(x.q)
        count = prod(x.q.shape[d] for d in dims)
        total = (x.q.detach().double() - x.zero_point).sum(dims, keepdim=self.keep)
        multiplier, exponent = self.factor(x.scale.item(), out.scale.item(), count)
        return requantize_by(total, (torch.tensor(multiplier), torch.tensor(exponent)), out)

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        axis, summed = axes[0], self.summed(inputs[0].shape)
        if axis is None or axis in summed:
            return of_whole(inputs[0], axis or 0)
        return OverTime(axis if self.keep else axis - sum(a < axis for a in summed))

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        if len(shapes[0]) - 1 not in self.summed(shapes[0]):
            return inputs[0]
        flow.keep(inputs[0])
        fixed = flow.new(self.shape([TensorType(shapes[0])])[-1])
        flow.keep(fixed)
        return fixed

"""Mean over the last columns of a stream. Input (K, W, C) or (H, K, C) of K new columns → (1, 1, C).

    out = mean of the last `columns` columns, those before the first being the real number 0

What an average pool as large as its window is, step by step: it remembers a sum per column and channel in place of the
numbers. Integers: the mean of the codes, halves away from zero, as the pool's; input and output share one grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized, round_half_away_divide
from pintsize.deferred import torch
from pintsize.graph import Channels, Node, Op, TensorType
from pintsize.ops.example import Example, array

#: numbers of 8 bits, less the zero point, whose sum has 16
LARGEST_COLUMN = 128


@dataclass(frozen=True)
class RunningAverage(Op):
    """axis: of time, 0 or 1; columns: of the window, at least as many as are new."""

    name: ClassVar[str] = "running_average"
    activations: ClassVar[int | None] = 1
    ties_types: ClassVar[bool] = True
    columns: int = 1
    axis: int = 0

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        x = inputs[0].shape
        if self.axis not in (0, 1) or len(x) != 3 or x[self.axis] > self.columns:
            raise ValueError(
                f"running_average: needs at most {self.columns} new columns on axis 0 or 1, not {x}"
            )
        if x[1 - self.axis] > LARGEST_COLUMN:
            raise ValueError(f"running_average: columns of {x} may be {LARGEST_COLUMN} high")
        return 1, 1, x[2]

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        x = inputs[0]
        return x.sum((1, 2), keepdim=True) / (self.columns * x.shape[2 - self.axis])

    def carried(self, inputs: Sequence[TensorType], out: TensorType) -> tuple[TensorType, ...]:
        """Each column's sum, the oldest first, and the sum of these."""
        channels = out.shape[2]
        return (
            TensorType((self.columns, channels), "int16", out.scale),
            TensorType((channels,), "int32", out.scale),
        )

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        batch, channels = len(inputs[0].q), inputs[0].q.shape[3]
        sums = torch.zeros((batch, self.columns, channels), dtype=torch.float64)
        return self.carry(inputs, out, (sums, sums[:, 0]))[0]

    def carry(
        self, inputs: Sequence[Quantized], out: Grid, states: Sequence[torch.Tensor]
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        x = inputs[0]
        new = (x.q.detach().double() - x.zero_point).sum(2 - self.axis)  # (n, K, C)
        sums = torch.cat([states[0][:, new.shape[1] :], new], 1)
        total = sums.sum(1)
        count = self.columns * x.q.shape[2 - self.axis]
        mean = round_half_away_divide(total + count * x.zero_point, torch.tensor(float(count)))
        return mean[:, None, None].float(), (sums, total)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        return inputs[0]


EXAMPLES = (
    Example(RunningAverage(4), (array((2, 1, 2), 4, 8, 8, -4),), array((1, 1, 2), 3, 1)),
    Example(  # columns of two rows
        RunningAverage(2, 1),
        (array((2, 2, 1), 1, 2, 3, 6),),
        array((1, 1, 1), 3),
    ),
)

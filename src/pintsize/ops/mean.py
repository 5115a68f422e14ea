"""Mean over whole axes. Input shape s → s with the axes left out, or of length 1.

Integers: the sum of (in - zero_point), requantized by s_in / (s_out · count); the division by the count cuts the
factor off to 31 bits, as TFLite Micro has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pintsize.arithmetic import mean_factor
from pintsize.deferred import torch
from pintsize.ops.example import Example, array
from pintsize.ops.reduction import Reduction


@dataclass(frozen=True)
class Mean(Reduction):
    """Over any axes; for images a pool as large as the image does the same with one grid for input and output."""

    name: ClassVar[str] = "mean"
    axes: tuple[int, ...] = (-1,)
    keep: bool = False

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return inputs[0].mean(self.dims(inputs[0]), keepdim=self.keep)

    def factor(self, x: float, out: float, count: int) -> tuple[int, int]:
        return mean_factor(x, out, count)


EXAMPLES = (
    Example(Mean((0, 1)), (array((1, 3, 2), 1, 10, 2, 20, 3, 60),), array((2,), 2, 30)),
    Example(Mean((-1,), keep=True), (array((2, 2), 1, 2, 3, -4),), array((2, 1), 1.5, -0.5)),
    Example(Mean((0, 2)), (array((2, 2, 2), 1, 2, 3, 4, 5, 6, 7, 8),), array((2,), 3.5, 5.5)),
)

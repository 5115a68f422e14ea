"""Sum over whole axes. Input shape s → s with the axes left out, or of length 1.

Integers: the sum of (in - zero_point), requantized by s_in / s_out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pintsize.arithmetic import one_factor
from pintsize.deferred import torch
from pintsize.ops.example import Example, array
from pintsize.ops.reduction import Reduction


@dataclass(frozen=True)
class Sum(Reduction):
    """Over any axes."""

    name: ClassVar[str] = "sum"
    axes: tuple[int, ...] = (-1,)
    keep: bool = False

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return inputs[0].sum(self.dims(inputs[0]), keepdim=self.keep)

    def factor(self, x: float, out: float, count: int) -> tuple[int, int]:
        return one_factor(x / out)


EXAMPLES = (
    Example(Sum((0, 1)), (array((1, 3, 2), 1, 10, 2, 20, 3, 60),), array((2,), 6, 90)),
    Example(Sum((1,), keep=True), (array((2, 2), 1, 2, 3, -4),), array((2, 1), 3, -1)),
)

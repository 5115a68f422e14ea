"""x where positive, slope · x where negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pintsize.arithmetic import Grid, Quantized
from pintsize.deferred import torch
from pintsize.fixed_point import leaky_relu_table
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class LeakyRelu(Elementwise):
    """x where positive, slope · x where negative."""

    name: ClassVar[str] = "leaky_relu"
    slope: float = 0.01

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return torch.where(x >= 0, x, x * self.slope)

    def table(self, x: Quantized, out: Grid) -> torch.Tensor:
        return leaky_relu_table(x, out, self.slope)


EXAMPLES = (Example(LeakyRelu(0.1), (array((3,), -10, 0, 5),), array((3,), -1, 0, 5)),)

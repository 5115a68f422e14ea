"""x · min(max(x + 3, 0), 6) / 6."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pintsize.arithmetic import Grid, Quantized
from pintsize.deferred import torch
from pintsize.fixed_point import hard_swish_table
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class HardSwish(Elementwise):
    """x · min(max(x + 3, 0), 6) / 6."""

    name: ClassVar[str] = "hard_swish"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return x * (x + 3.0).clamp(0.0, 6.0) / 6.0

    def table(self, x: Quantized, out: Grid) -> torch.Tensor:
        """The reference kernel's; correctly rounded where the output's grid is finer than that kernel allows."""
        table = hard_swish_table(x, out)
        return super().table(x, out) if table is None else table


EXAMPLES = (Example(HardSwish(), (array((5,), -4, -1, 0, 1.5, 4),), array((5,), 0, -1 / 3, 0, 1.125, 4)),)

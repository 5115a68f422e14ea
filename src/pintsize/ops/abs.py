"""The magnitude of x.

Integers: |in - zero_point|, requantized by s_in / s_out, as a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pintsize.arithmetic import Grid, Quantized, requantize_table
from pintsize.deferred import torch
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Abs(Elementwise):
    """The magnitude of x."""

    name: ClassVar[str] = "abs"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return x.abs()

    def table(self, x: Quantized, out: Grid) -> torch.Tensor:
        return requantize_table(x, out, torch.abs)


EXAMPLES = (Example(Abs(), (array((3,), -2, 0, 1),), array((3,), 2, 0, 1)),)

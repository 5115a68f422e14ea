"""1 / the square root of x; the largest number of the output where x is 0 or negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pintsize.arithmetic import Grid, Quantized
from pintsize.deferred import torch
from pintsize.fixed_point import rsqrt_table
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array

#: what stands for the reciprocal of 0 in real numbers
LEAST = 1e-12


@dataclass(frozen=True)
class Rsqrt(Elementwise):
    """1 / the square root of x; very large where x is 0 or negative."""

    name: ClassVar[str] = "rsqrt"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return torch.rsqrt(x.clamp(min=LEAST))

    def table(self, x: Quantized, out: Grid) -> torch.Tensor:
        return rsqrt_table(x, out)


EXAMPLES = (Example(Rsqrt(), (array((2,), 4, 1),), array((2,), 0.5, 1)),)

"""The same numbers on another grid: what a model file asks for that quantizes twice, or goes from int8 to int16.

Integers: (in - zero_point), requantized by s_in / s_out; a table from int8 to int8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from pintsize.arithmetic import Grid, Quantized, factors, requantize_by, requantize_table
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Requantize(Elementwise):
    """Nothing on real numbers."""

    name: ClassVar[str] = "requantize"
    int16: ClassVar[bool] = True

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x = inputs[0]
        if x.bits == out.bits == 8:
            return super().integer_meaning(inputs, out)
        return requantize_by(x.q - x.zero_point, factors(x.scale, out.scale), out)

    def table(self, x: Quantized, out: Grid) -> torch.Tensor:
        return requantize_table(x, out)


EXAMPLES = (Example(Requantize(), (array((3,), -1, 0, 2),), array((3,), -1, 0, 2)),)

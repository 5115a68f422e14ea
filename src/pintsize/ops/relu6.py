"""min(max(x, 0), 6), where it could not be fused into the op before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pintsize.arithmetic import Grid, Quantized
from pintsize.deferred import torch
from pintsize.fixed_point import relu_table
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Relu6(Elementwise):
    """min(max(x, 0), 6), where it could not be fused into the op before it."""

    name: ClassVar[str] = "relu6"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return x.clamp(0.0, 6.0)

    def table(self, x: Quantized, out: Grid) -> torch.Tensor:
        return relu_table(x, out, 6.0)


EXAMPLES = (Example(Relu6(), (array((4,), -1, 0, 2, 8),), array((4,), 0, 0, 2, 6)),)

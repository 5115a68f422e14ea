"""max(x, 0), where it could not be fused into the op before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pintsize.arithmetic import Grid, Quantized
from pintsize.deferred import torch
from pintsize.fixed_point import relu_table
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Relu(Elementwise):
    """max(x, 0), where it could not be fused into the op before it."""

    name: ClassVar[str] = "relu"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x)

    def table(self, x: Quantized, out: Grid) -> torch.Tensor:
        return relu_table(x, out)


EXAMPLES = (Example(Relu(), (array((3,), -1, 0, 2),), array((3,), 0, 0, 2)),)

"""The square root of x; 0 where x is negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pintsize.deferred import torch
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Sqrt(Elementwise):
    """The square root of x; 0 where x is negative."""

    name: ClassVar[str] = "sqrt"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sqrt(x.clamp(min=0.0))


EXAMPLES = (Example(Sqrt(), (array((3,), 4, 0, -1),), array((3,), 2, 0, 0)),)

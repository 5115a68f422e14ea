"""The square of x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pintsize.deferred import torch
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Square(Elementwise):
    """The square of x."""

    name: ClassVar[str] = "square"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return x * x


EXAMPLES = (Example(Square(), (array((3,), -2, 0, 1),), array((3,), 4, 0, 1)),)

"""The negative of x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pintsize.deferred import torch
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Neg(Elementwise):
    """The negative of x."""

    name: ClassVar[str] = "neg"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return -x


EXAMPLES = (Example(Neg(), (array((3,), -2, 0, 1),), array((3,), 2, 0, -1)),)

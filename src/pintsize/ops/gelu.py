"""x times the share of a normal distribution that lies below x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pintsize.deferred import torch
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Gelu(Elementwise):
    """x times the share of a normal distribution that lies below x."""

    name: ClassVar[str] = "gelu"
    tanh: bool = False  # the approximation by a hyperbolic tangent

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.gelu(x, approximate="tanh" if self.tanh else "none")


EXAMPLES = (
    Example(Gelu(), (array((3,), -10, 0, 10),), array((3,), 0, 0, 10)),
    Example(Gelu(tanh=True), (array((3,), -10, 0, 10),), array((3,), 0, 0, 10)),
)

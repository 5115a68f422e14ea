"""The smaller of two tensors, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pintsize.deferred import torch
from pintsize.ops.example import Example, array
from pintsize.ops.extremum import Extremum


@dataclass(frozen=True)
class Minimum(Extremum):
    """The smaller of two numbers."""

    name: ClassVar[str] = "minimum"

    def choose(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.minimum(a, b)


EXAMPLES = (
    Example(Minimum(), (array((2,), 1, 2), array((2,), 3, -5)), array((2,), 1, -5)),
    Example(Minimum(), (array((1, 2), 1, -4), array((1,), 0.5)), array((1, 2), 0.5, -4), constants=(1,)),
)

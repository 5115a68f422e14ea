"""The larger of two tensors, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pintsize.deferred import torch
from pintsize.ops.example import Example, array
from pintsize.ops.extremum import Extremum


@dataclass(frozen=True)
class Maximum(Extremum):
    """The larger of two numbers."""

    name: ClassVar[str] = "maximum"

    def choose(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.maximum(a, b)


EXAMPLES = (
    Example(Maximum(), (array((2,), 1, 2), array((2,), 3, -5)), array((2,), 3, 2)),
    Example(  # per row
        Maximum(),
        (array((2, 1), 0, 1), array((2, 2), -1, 1, 2, 0.5)),
        array((2, 2), 0, 1, 2, 1),
        constants=(0,),
    ),
)

"""alpha · x + beta between 0 and 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pintsize.deferred import torch
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class HardSigmoid(Elementwise):
    """alpha · x + beta between 0 and 1."""

    name: ClassVar[str] = "hard_sigmoid"
    alpha: float = 1.0 / 6.0
    beta: float = 0.5

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return (x * self.alpha + self.beta).clamp(0.0, 1.0)


EXAMPLES = (
    Example(HardSigmoid(), (array((4,), -4, 0, 1.5, 3),), array((4,), 0, 0.5, 0.75, 1)),
    Example(HardSigmoid(0.2, 0.25), (array((2,), 0, 1),), array((2,), 0.25, 0.45)),
)

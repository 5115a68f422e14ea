"""x · min(max(x + 3, 0), 6) / 6."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class HardSwish(Elementwise):
    """x · min(max(x + 3, 0), 6) / 6."""

    name: ClassVar[str] = "hard_swish"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return x * (x + 3.0).clamp(0.0, 6.0) / 6.0


EXAMPLES = (Example(HardSwish(), (array((5,), -4, -1, 0, 1.5, 4),), array((5,), 0, -1 / 3, 0, 1.125, 4)),)

"""x · min(max(x + 3, 0), 6) / 6."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from pintsize.ops.elementwise import Elementwise


@dataclass(frozen=True)
class HardSwish(Elementwise):
    """x · min(max(x + 3, 0), 6) / 6."""

    name: ClassVar[str] = "hard_swish"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return x * (x + 3.0).clamp(0.0, 6.0) / 6.0

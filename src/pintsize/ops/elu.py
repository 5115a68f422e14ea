"""x where positive, alpha · (exp(x) - 1) where negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.deferred import torch
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Elu(Elementwise):
    """x where positive, alpha · (exp(x) - 1) where negative."""

    name: ClassVar[str] = "elu"
    alpha: float = 1.0

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return torch.where(x >= 0, x, self.alpha * torch.expm1(x.clamp(max=0.0)))


EXAMPLES = (Example(Elu(2.0), (array((3,), -np.log(2), 0, 1),), array((3,), -1, 0, 1)),)

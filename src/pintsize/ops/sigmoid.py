"""1 / (1 + exp(-x)); its output grid is fixed: scale 1/256, zero point -128."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Sigmoid(Elementwise):
    """1 / (1 + exp(-x)); its output grid is fixed: scale 1/256, zero point -128."""

    name: ClassVar[str] = "sigmoid"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(x)

    def fixed_output(self) -> tuple[float, int]:
        return 1.0 / 256.0, -128


EXAMPLES = (Example(Sigmoid(), (array((3,), 0, np.log(3), -np.log(4)),), array((3,), 0.5, 0.75, 0.2)),)

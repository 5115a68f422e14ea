"""Hyperbolic tangent; its output grid is fixed: scale 1/128, zero point 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Tanh(Elementwise):
    """Hyperbolic tangent; its output grid is fixed: scale 1/128, zero point 0."""

    name: ClassVar[str] = "tanh"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x)

    def fixed_output(self) -> tuple[float, int]:
        return 1.0 / 128.0, 0


EXAMPLES = (Example(Tanh(), (array((3,), 0, np.log(2), -np.log(3)),), array((3,), 0, 0.6, -0.8)),)

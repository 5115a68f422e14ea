"""The exponential of x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.deferred import torch
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Exp(Elementwise):
    """The exponential of x."""

    name: ClassVar[str] = "exp"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return torch.exp(x)


EXAMPLES = (Example(Exp(), (array((3,), 0, -np.log(2), np.log(2)),), array((3,), 1, 0.5, 2)),)

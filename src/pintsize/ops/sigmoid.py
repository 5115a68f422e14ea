"""1 / (1 + exp(-x)); its output grid is fixed: scale 1/256, zero point -128 (int16: 1/32768, 0)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized
from pintsize.deferred import torch
from pintsize.fixed_point import logistic_table
from pintsize.interpolated import INT16_OUTPUT_SCALE, sigmoid_int16
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Sigmoid(Elementwise):
    """1 / (1 + exp(-x)); its output grid is fixed: scale 1/256, zero point -128."""

    name: ClassVar[str] = "sigmoid"
    int16: ClassVar[bool] = True

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(x)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        if out.bits == 8:
            return super().integer_meaning(inputs, out)
        return sigmoid_int16(inputs[0].q, float(inputs[0].scale))

    def table(self, x: Quantized, out: Grid) -> torch.Tensor:
        return logistic_table(x)

    def fixed_output(self) -> tuple[float, int]:
        return 1.0 / 256.0, -128

    def fixed_output_int16(self) -> tuple[float, int]:
        return INT16_OUTPUT_SCALE, 0


EXAMPLES = (Example(Sigmoid(), (array((3,), 0, np.log(3), -np.log(4)),), array((3,), 0.5, 0.75, 0.2)),)

"""Hyperbolic tangent; its output grid is fixed: scale 1/128 (int16: 1/32768), zero point 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized
from pintsize.deferred import torch
from pintsize.fixed_point import tanh_table
from pintsize.interpolated import INT16_OUTPUT_SCALE, tanh_int16
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Tanh(Elementwise):
    """Hyperbolic tangent; its output grid is fixed: scale 1/128, zero point 0."""

    name: ClassVar[str] = "tanh"
    int16: ClassVar[bool] = True

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        if out.bits == 8:
            return super().integer_meaning(inputs, out)
        return tanh_int16(inputs[0].q, float(inputs[0].scale))

    def table(self, x: Quantized, out: Grid) -> torch.Tensor:
        return tanh_table(x)

    def fixed_output(self) -> tuple[float, int]:
        return 1.0 / 128.0, 0

    def fixed_output_int16(self) -> tuple[float, int]:
        return INT16_OUTPUT_SCALE, 0


EXAMPLES = (Example(Tanh(), (array((3,), 0, np.log(2), -np.log(3)),), array((3,), 0, 0.6, -0.8)),)

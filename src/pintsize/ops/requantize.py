"""The same numbers on another grid: what a model file asks for that quantizes twice, or goes from int8 to int16.

Integers: (in - zero_point), requantized by s_in / s_out; a table from int8 to int8. `once`, from int8 to int8 alone: as
a dequantization to float32 and a quantization give them, rounded once, halves away from zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import (
    Grid,
    Quantized,
    dequantize,
    factors,
    half_away,
    requantize_by,
    requantize_table,
)
from pintsize.deferred import torch
from pintsize.graph import TensorType
from pintsize.ops.elementwise import Elementwise
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Requantize(Elementwise):
    """Nothing on real numbers. `once`: how its integers round."""

    name: ClassVar[str] = "requantize"
    int16: ClassVar[bool] = True
    once: bool = False

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        if self.once and inputs[0].dtype == "int16":
            raise ValueError("requantize: it rounds once from int8 to int8 alone")
        return super().shape(inputs)

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x = inputs[0]
        if x.bits == out.bits == 8:
            return super().integer_meaning(inputs, out)
        return requantize_by(x.q - x.zero_point, factors(x.scale, out.scale), out)

    def table(self, x: Quantized, out: Grid) -> torch.Tensor:
        if not self.once:
            return requantize_table(x, out)
        return self.through_real_numbers(np.arange(-128, 128), float(x.scale), x.zero_point, out)

    @staticmethod
    def through_real_numbers(codes: np.ndarray, scale: float, zero_point: int, out: Grid) -> torch.Tensor:
        """Codes on `out` of the real numbers that codes stand for, in TFLite Micro's float32."""
        steps = dequantize(codes, scale, zero_point) / np.float32(out.scale.item())
        nearest = torch.from_numpy(half_away(steps.astype(np.float64)))
        return (nearest + out.zero_point).clamp(out.low, out.high).float()


EXAMPLES = (
    Example(Requantize(), (array((3,), -1, 0, 2),), array((3,), -1, 0, 2)),
    Example(Requantize(True), (array((3,), -1, 0, 2),), array((3,), -1, 0, 2)),
)

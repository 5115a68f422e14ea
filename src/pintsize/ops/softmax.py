"""Softmax over the last axis. Input (…, C) → (…, C), probabilities.

Integers: fixed point after gemmlowp (see arithmetic); the output grid is fixed: scale 1/256, zero point -128.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import (
    SOFTMAX_LARGEST_ROW,
    SOFTMAX_SCALE,
    SOFTMAX_ZERO_POINT,
    Grid,
    Quantized,
    softmax,
)
from pintsize.deferred import torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.example import Example, array
from pintsize.ops.time_axis import within_rows


@dataclass(frozen=True)
class Softmax(Op):
    """Usually the last op of a classifier. `beta`: a positive number that the inputs are multiplied by."""

    name: ClassVar[str] = "softmax"
    follows_axes: ClassVar[bool] = True
    beta: float = 1.0

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        if not 0 < self.beta < float("inf"):
            raise ValueError(f"softmax: beta {self.beta} must be positive")
        if not inputs[0].shape or inputs[0].shape[-1] > SOFTMAX_LARGEST_ROW:
            raise ValueError(
                f"softmax: rows of {inputs[0].shape} must have 1 to {SOFTMAX_LARGEST_ROW} numbers"
            )
        return inputs[0].shape

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return torch.softmax(inputs[0] * self.beta, -1)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        return softmax(inputs[0].q, self.scaled(float(inputs[0].scale)))

    def scaled(self, scale: float) -> float:
        """The scale of what is exponentiated; beta is a float32, as it is in files."""
        return scale * float(np.float32(self.beta))

    def fixed_output(self) -> tuple[float, int]:
        return SOFTMAX_SCALE, SOFTMAX_ZERO_POINT

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        return within_rows(inputs[0], axes[0])

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        if inputs[0].shape[-1] == shapes[0][-1] or inputs[0].ndim == 1:
            flow.keep(inputs[0])
        return inputs[0]  # rows that live or die as a whole stay free


EXAMPLES = (
    Example(Softmax(), (array((2,), 0, np.log(2)),), array((2,), 1 / 3, 2 / 3)),
    Example(Softmax(0.5), (array((2,), 0, np.log(4)),), array((2,), 1 / 3, 2 / 3)),
    Example(Softmax(), (array((2, 2), 1, 1, 0, -np.log(4)),), array((2, 2), 0.5, 0.5, 0.8, 0.2)),
)

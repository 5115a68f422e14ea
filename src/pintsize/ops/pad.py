"""Zeros around an image. Input (H, W, C) → (H + top + bottom, W + left + right, C).

Integers: the zero point, which stands for 0; input and output share one grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from pintsize.arithmetic import Grid, Quantized
from pintsize.graph import Channels, Node, Op, TensorType
from pintsize.ops.example import Example, array
from pintsize.ops.window import pad_image


@dataclass(frozen=True)
class Pad(Op):
    """`padding` is (top, bottom, left, right)."""

    name: ClassVar[str] = "pad"
    ties_types: ClassVar[bool] = True
    integer_gradient: ClassVar[bool] = True
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        if len(inputs[0].shape) != 3:
            raise ValueError(f"pad: needs an input (height, width, channels), not {inputs[0].shape}")
        height, width, channels = inputs[0].shape
        top, bottom, left, right = self.padding
        return height + top + bottom, width + left + right, channels

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return pad_image(inputs[0], self.padding, 0.0).permute(0, 2, 3, 1)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x = inputs[0]
        return pad_image(x.q, self.padding, float(x.zero_point)).permute(0, 2, 3, 1)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        return inputs[0]


EXAMPLES = (Example(Pad((1, 0, 0, 2)), (array((1, 2, 1), 1, 2),), array((2, 4, 1), 0, 0, 0, 0, 1, 2, 0, 0)),)

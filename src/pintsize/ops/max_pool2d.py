"""Maximum over a sliding window. Input (H, W, C) → (H', W', C). Padding never wins.

Integers: the maximum of the codes; input and output share one grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized
from pintsize.deferred import F, torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.example import Example, array
from pintsize.ops.time_axis import padding_apart_from, windowed
from pintsize.ops.window import Window, pad_image


@dataclass(frozen=True)
class MaxPool2d(Op):
    """`padding` is (top, bottom, left, right)."""

    name: ClassVar[str] = "max_pool2d"
    ties_types: ClassVar[bool] = True
    integer_gradient: ClassVar[bool] = True
    int16: ClassVar[bool] = True
    kernel: tuple[int, int] = (2, 2)
    stride: tuple[int, int] = (2, 2)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)

    @property
    def window(self) -> Window:
        return Window(self.kernel, self.stride, self.padding, self.dilation)

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        return (*self.window.pooled("max_pool2d", inputs[0].shape), inputs[0].shape[-1])

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        image = pad_image(inputs[0], self.padding, float("-inf"))
        y = F.max_pool2d(image, self.kernel, self.stride, 0, self.dilation)
        return y.permute(0, 2, 3, 1)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        return self.float_meaning([inputs[0].q])

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        unpadded = replace(self, padding=padding_apart_from(self.padding, axes[0]))
        return windowed(self.window, axes[0], unpadded)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        return inputs[0]


EXAMPLES = (
    Example(  # padding never wins
        MaxPool2d(padding=(0, 1, 0, 1)),
        (array((3, 3, 1), -1, -2, -3, -4, -5, -6, -7, -8, -9),),
        array((2, 2, 1), -1, -3, -7, -9),
    ),
    Example(
        MaxPool2d((1, 2), (1, 1), dilation=(1, 2)), (array((1, 4, 1), 1, 5, 3, 2),), array((1, 2, 1), 3, 5)
    ),
)

"""Mean over a sliding window. Input (H, W, C) → (H', W', C). Padding does not count.

Integers: the mean of the codes, halves away from zero; input and output share one grid.
A global pool is a window as large as the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized, round_half_away_divide
from pintsize.deferred import F, torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.example import Example, array
from pintsize.ops.time_axis import padding_apart_from, windowed
from pintsize.ops.window import Window, pad_image


@dataclass(frozen=True)
class AveragePool2d(Op):
    """`padding` is (top, bottom, left, right)."""

    name: ClassVar[str] = "average_pool2d"
    ties_types: ClassVar[bool] = True
    int16: ClassVar[bool] = True
    kernel: tuple[int, int] = (2, 2)
    stride: tuple[int, int] = (2, 2)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def window(self) -> Window:
        return Window(self.kernel, self.stride, self.padding)

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        return (*self.window.pooled("average_pool2d", inputs[0].shape), inputs[0].shape[-1])

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return self._total(inputs[0]) / self._count(inputs[0])

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x = inputs[0].q.detach().to(torch.float32 if out.bits == 8 else torch.float64)
        mean = round_half_away_divide(self._total(x).round(), self._count(x))
        return mean.clamp(out.low, out.high).float()

    def _total(self, x: torch.Tensor) -> torch.Tensor:
        image = pad_image(x, self.padding, 0.0)
        return F.avg_pool2d(image, self.kernel, self.stride, divisor_override=1).permute(0, 2, 3, 1)

    def _count(self, x: torch.Tensor) -> torch.Tensor:
        """How many real pixels each window holds: (1, H', W', 1)."""
        return self._total(torch.ones((1, x.shape[1], x.shape[2], 1), dtype=x.dtype))

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        unpadded = replace(self, padding=padding_apart_from(self.padding, axes[0]))
        return windowed(self.window, axes[0], unpadded)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        return inputs[0]


EXAMPLES = (
    Example(  # padding does not count
        AveragePool2d(padding=(0, 1, 0, 1)),
        (array((3, 3, 1), 1, 2, 3, 4, 5, 6, 7, 8, 9),),
        array((2, 2, 1), 3, 4.5, 7.5, 9),
    ),
    Example(AveragePool2d(), (array((2, 2, 2), 1, 10, 2, 20, 3, 30, 4, 40),), array((1, 1, 2), 2.5, 25)),
)

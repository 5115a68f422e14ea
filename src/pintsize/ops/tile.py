"""A tensor beside copies of itself. Input shape s → (s[0] · repeats[0], s[1] · repeats[1], …).

Integers: the codes move; input and output share one grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized
from pintsize.deferred import torch
from pintsize.graph import Channels, Node, Op, TensorType
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Tile(Op):
    """`repeats` leaves the batch out: (1, 2, 1) puts an image (H, W, C) beside itself."""

    name: ClassVar[str] = "tile"
    ties_types: ClassVar[bool] = True
    integer_gradient: ClassVar[bool] = True
    repeats: tuple[int, ...] = ()

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        before = inputs[0].shape
        if len(self.repeats) != len(before) or len(before) > 4 or min(self.repeats, default=0) < 1:
            raise ValueError(
                f"tile: repeats {self.repeats} must be at least 1 for each of the axes of {before}, at most 4"
            )
        return tuple(n * r for n, r in zip(before, self.repeats, strict=True))

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return inputs[0].repeat(1, *self.repeats)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        return self.float_meaning([inputs[0].q])

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        return np.tile(inputs[0], self.repeats[-1])


EXAMPLES = (
    Example(Tile((1, 2)), (array((2, 2), 1, 2, 3, 4),), array((2, 4), 1, 2, 1, 2, 3, 4, 3, 4)),
    Example(
        Tile((2, 1, 3)),
        (array((1, 2, 1), 1, 2),),
        array((2, 2, 3), 1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2),
    ),
)

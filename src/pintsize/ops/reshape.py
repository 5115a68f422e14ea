"""The same numbers in another shape. The last axis of the target may be -1: as large as it needs to be.

Integers: nothing moves; input and output share one grid and, in the C program, one buffer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np
import torch

from pintsize.arithmetic import Grid, Quantized
from pintsize.graph import Channels, Node, Op, TensorType
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Reshape(Op):
    """`target` leaves the batch out, as all shapes do."""

    name: ClassVar[str] = "reshape"
    ties_types: ClassVar[bool] = True
    integer_gradient: ClassVar[bool] = True
    int16: ClassVar[bool] = True
    in_place: ClassVar[bool] = True
    target: tuple[int, ...] = (-1,)

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        *leading, last = self.target
        elements = inputs[0].elements
        if last == -1:
            last = elements // prod(leading)
        if prod(leading) * last != elements:
            raise ValueError(f"reshape: {inputs[0].shape} has {elements} elements, {self.target} does not")
        return (*leading, last)

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return inputs[0].reshape(inputs[0].shape[0], *self.target)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        return self.float_meaning([inputs[0].q])

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        before, ids = shapes[0], inputs[0]
        after = self.shape([TensorType(before)])
        if after[-1] % before[-1] == 0 and self.target[-1] == -1:
            return np.tile(ids, after[-1] // before[-1])
        flow.keep(ids)
        fixed = flow.new(after[-1])
        flow.keep(fixed)
        return fixed


EXAMPLES = (
    Example(Reshape(), (array((1, 2, 2), 1, 2, 3, 4),), array((4,), 1, 2, 3, 4)),
    Example(Reshape((2, 1, -1)), (array((1, 2, 2), 1, 2, 3, 4),), array((2, 1, 2), 1, 2, 3, 4)),
)

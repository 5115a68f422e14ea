"""A window that moves on along one axis: (…, N, …) and what is new (…, K, …) → (…, N, …).

    out = the last N of window, then new

What keeps the last columns of a stream: the window is a state of the Graph, and out becomes its next value. Integers:
the codes move; window, new numbers and output share one grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized
from pintsize.deferred import torch
from pintsize.graph import Channels, Node, Op, TensorType
from pintsize.ops.axes import one_axis
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Slide(Op):
    """`axis` leaves the batch out; at most as much is new as the window holds."""

    name: ClassVar[str] = "slide"
    ties_types: ClassVar[bool] = True
    integer_gradient: ClassVar[bool] = True
    int16: ClassVar[bool] = True
    activations: ClassVar[int | None] = 2
    axis: int = 0

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        window, new = inputs
        axis = one_axis("slide", self.axis, window.shape)
        others = {(*kind.shape[:axis], 0, *kind.shape[axis + 1 :]) for kind in inputs}
        if len(others) > 1 or new.shape[axis] > window.shape[axis]:
            raise ValueError(
                f"slide: {new.shape} must fit the window {window.shape} but on axis {axis}, and not exceed it there"
            )
        if window.is_quantized and (window.scale, window.zero_point) != (new.scale, new.zero_point):
            raise ValueError("slide: the window and what is new must have the same scale and zero point")
        return window.shape

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        axis = self.axis % (inputs[0].dim() - 1) + 1
        joined = torch.cat([inputs[0], inputs[1].to(inputs[0].dtype)], axis)
        return joined.narrow(axis, inputs[1].shape[axis], inputs[0].shape[axis])

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        return self.float_meaning([x.q for x in inputs])

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        if self.axis % len(shapes[0]) == len(shapes[0]) - 1:
            for ids in inputs:
                flow.keep(ids)
            return inputs[0]
        flow.unite(inputs[0], inputs[1])
        return inputs[0]


EXAMPLES = (
    Example(Slide(), (array((3, 1), 1, 2, 3), array((2, 1), 4, 5)), array((3, 1), 3, 4, 5)),
    Example(  # columns of every row
        Slide(1),
        (array((2, 2, 1), 1, 2, 3, 4), array((2, 1, 1), 8, 9)),
        array((2, 2, 1), 2, 8, 4, 9),
    ),
    Example(Slide(), (array((2,), 1, 2), array((2,), 3, 4)), array((2,), 3, 4)),
)

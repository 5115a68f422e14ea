"""The smaller or the larger of two tensors, elementwise."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized
from pintsize.deferred import torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.broadcast import aligned, broadcast_channels, broadcast_shape
from pintsize.ops.concat import on_grid
from pintsize.ops.time_axis import column_by_column


class Extremum(Op):
    """Abstract: a subclass gives `choose`. Either operand may be a constant, and repeats where the other is larger.

    Integers: all share one grid; an operand on another one is first requantized by s_in / s_out.
    """

    ties_types: ClassVar[bool] = True
    in_place: ClassVar[bool] = True
    operands: ClassVar[bool] = True
    integer_gradient: ClassVar[bool] = True

    @abstractmethod
    def choose(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """One of two numbers, elementwise."""

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        return broadcast_shape(self.name, inputs[0].shape, inputs[1].shape)

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return self.choose(*aligned(*inputs))

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        return self.float_meaning([on_grid(x, out) for x in inputs])

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        return column_by_column(inputs, axes)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        return broadcast_channels(inputs, flow)

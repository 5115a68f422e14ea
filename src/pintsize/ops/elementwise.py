"""Functions of one number: in integers, a table of 256 codes, each correctly rounded."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized, look_up, lookup_table
from pintsize.deferred import torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.time_axis import column_by_column


class Elementwise(Op):
    """Abstract: a subclass gives `function`, the rest follows. Output shape is the input's."""

    in_place: ClassVar[bool] = True
    follows_axes: ClassVar[bool] = True

    @abstractmethod
    def function(self, x: torch.Tensor) -> torch.Tensor:
        """The function on real numbers, in the tensor's own precision."""

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        return inputs[0].shape

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return self.function(inputs[0])

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        return look_up(self.table(inputs[0], out), inputs[0].q)

    def table(self, x: Quantized, out: Grid) -> torch.Tensor:
        """Output codes (256,) for input codes -128..127."""
        return lookup_table(self.function, x, out)

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        return column_by_column(inputs, axes)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        return inputs[0]

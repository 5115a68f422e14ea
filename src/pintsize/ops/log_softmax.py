"""Logarithm of the softmax over the last axis. Input (…, C) → (…, C), nothing above 0.

Integers: fixed point after gemmlowp (see fixed_point.py); the output grid is fixed: scale 1/16, zero point 127.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import SOFTMAX_LARGEST_ROW, Grid, Quantized
from pintsize.deferred import torch
from pintsize.fixed_point import LOG_SOFTMAX_SCALE, LOG_SOFTMAX_ZERO_POINT, log_softmax
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.example import Example, array
from pintsize.ops.time_axis import within_rows


@dataclass(frozen=True)
class LogSoftmax(Op):
    """The last op of a classifier, sometimes."""

    name: ClassVar[str] = "log_softmax"

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        if not inputs[0].shape or inputs[0].shape[-1] > SOFTMAX_LARGEST_ROW:
            raise ValueError(
                f"log_softmax: rows of {inputs[0].shape} must have 1 to {SOFTMAX_LARGEST_ROW} numbers"
            )
        return inputs[0].shape

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return torch.log_softmax(inputs[0], -1)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        return log_softmax(inputs[0].q, float(inputs[0].scale))

    def fixed_output(self) -> tuple[float, int]:
        return LOG_SOFTMAX_SCALE, LOG_SOFTMAX_ZERO_POINT

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        return within_rows(inputs[0], axes[0])

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        flow.keep(inputs[0])
        return inputs[0]


EXAMPLES = (
    Example(LogSoftmax(), (array((2,), 0, np.log(3)),), array((2,), -np.log(4), np.log(0.75))),
    Example(LogSoftmax(), (array((2, 1), 1, -2),), array((2, 1), 0, 0)),
)

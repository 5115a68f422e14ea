"""Batch normalization over the last axis, until it is folded into the op before it.

    out = (in - mean) / sqrt(variance + epsilon) · gain + bias

It has no integer meaning: `passes/fold_batch_norm.py` removes it before quantization.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized
from pintsize.deferred import F, torch
from pintsize.errors import SpecError
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.example import Example, array
from pintsize.ops.time_axis import column_by_column


@dataclass(frozen=True)
class BatchNorm(Op):
    """Inputs: x (…, C), then gain, bias, mean, variance, each (C,)."""

    name: ClassVar[str] = "batch_norm"
    activations: ClassVar[int | None] = 1
    epsilon: float = 1e-5

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        channels = inputs[0].shape[-1]
        if any(t.shape != (channels,) for t in inputs[1:]):
            raise ValueError(f"batch_norm: statistics must be ({channels},) for input {inputs[0].shape}")
        return inputs[0].shape

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        x, gain, bias, mean, variance = inputs
        factor = gain * torch.rsqrt(variance + self.epsilon)
        return x * factor + (bias - mean * factor)

    def training_meaning(self, inputs: Sequence[torch.Tensor], momentum: float) -> torch.Tensor:
        """With the batch's own statistics; the running mean and variance are updated in place."""
        x, gain, bias, mean, variance = inputs
        flat = x.reshape(-1, x.shape[-1])
        y = F.batch_norm(flat, mean, variance, gain, bias, True, momentum, self.epsilon)
        return y.reshape(x.shape)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        raise SpecError("batch_norm has no integer meaning: fold it before quantization")

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        return column_by_column(inputs, axes)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        for constant in node.inputs[1:]:
            flow.slice(constant, 0, inputs[0])
        return inputs[0]


EXAMPLES = (
    Example(
        BatchNorm(epsilon=0.0),
        (
            array((1, 2, 2), 3, 1, 5, 3),
            array((2,), 2, 1),
            array((2,), 1, 0),
            array((2,), 1, 1),
            array((2,), 4, 1),
        ),
        array((1, 2, 2), 3, 0, 5, 2),
    ),
)

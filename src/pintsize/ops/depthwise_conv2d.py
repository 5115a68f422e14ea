"""Depthwise 2-D convolution: each channel by itself.

Input (H, W, C), weight (Kh, Kw, C·m), bias (C·m,) → (H', W', C·m).

    out[y, x, o] = act(bias[o] + Σ in[y·s + ky·d - top, x·s + kx·d - left, o // m] · weight[ky, kx, o])

Integers as in conv2d, with one weight scale per output channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized, exact_dtype, requantize_weighted, scale_product
from pintsize.deferred import torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.activation import Activation, activate
from pintsize.ops.example import Example, array
from pintsize.ops.time_axis import padding_apart_from, windowed
from pintsize.ops.window import Window, convolve


@dataclass(frozen=True)
class DepthwiseConv2d(Op):
    """`padding` is (top, bottom, left, right); pairs are (vertical, horizontal)."""

    name: ClassVar[str] = "depthwise_conv2d"
    integer_gradient: ClassVar[bool] = True
    int16: ClassVar[bool] = True
    activations: ClassVar[int | None] = 1
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    multiplier: int = 1
    activation: Activation = "none"

    def window(self, weight: tuple[int, ...]) -> Window:
        return Window((weight[0], weight[1]), self.stride, self.padding, self.dilation)

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        x, w = inputs[0].shape, inputs[1].shape
        if len(w) != 3 or x[-1] * self.multiplier != w[2]:
            raise ValueError(
                f"depthwise_conv2d: weight {w} must be (kh, kw, {x[-1] * self.multiplier}) for input {x}"
            )
        return (*self.window(w).output(x), w[2])

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        x, w, b = inputs
        return activate(self._convolve(x, w, b), self.activation)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x, w, b = inputs
        dtype = exact_dtype(w.q.permute(2, 0, 1), x.zero_point, b.q, x.bits)
        acc = self._convolve((x.q - x.zero_point).to(dtype), w.q.to(dtype), b.q.to(dtype))
        return requantize_weighted(acc, scale_product(x.scale, w.scale), out.bounded(self.activation))

    def _convolve(self, x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        kernel = w.permute(2, 0, 1).unsqueeze(1)  # (C·m, 1, Kh, Kw)
        return convolve(x, kernel, b, self.window(tuple(w.shape)), groups=x.shape[-1])

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        unpadded = replace(self, padding=padding_apart_from(self.padding, axes[0]))
        return windowed(self.window(inputs[1].shape), axes[0], unpadded)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        out = np.repeat(inputs[0], self.multiplier)
        flow.slice(node.inputs[1], 2, out)
        flow.slice(node.inputs[2], 0, out)
        return out

    def macs(self, inputs: Sequence[TensorType], out: TensorType) -> int:
        return out.elements * inputs[1].shape[0] * inputs[1].shape[1]


EXAMPLES = (
    Example(  # two outputs per channel
        DepthwiseConv2d(multiplier=2),
        (array((1, 2, 2), 1, 10, 2, 20), array((1, 1, 4), 1, 2, -1, 0.5), array((4,), 0, 1, 0, 0)),
        array((1, 2, 4), 1, 3, -10, 5, 2, 5, -20, 10),
    ),
    Example(  # a row of padding below, a column to the left
        DepthwiseConv2d(stride=(1, 2), padding=(0, 1, 1, 0)),
        (array((3, 3, 1), 1, 2, 3, 4, 5, 6, 7, 8, 9), array((2, 2, 1), 1, 1, 1, 1), array((1,), 0)),
        array((3, 2, 1), 5, 16, 11, 28, 7, 17),
    ),
    Example(
        DepthwiseConv2d(dilation=(2, 1), activation="relu6"),
        (array((3, 1, 2), 1, 5, 9, 9, 2, -3), array((2, 1, 2), 1, 1, 2, 1), array((2,), 0, 5)),
        array((1, 1, 2), 5, 6),
    ),
)

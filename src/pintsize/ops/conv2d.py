"""2-D convolution. Input (H, W, C), weight (O, Kh, Kw, C), bias (O,) → (H', W', O).

    out[y, x, o] = act(bias[o] + Σ in[y·s + ky·d - top, x·s + kx·d - left, c] · weight[o, ky, kx, c])

Integers: acc = bias + Σ (in - zero_point) · weight in int32, out = requantize(acc, s_in·s_w[o] / s_out) + zero_point,
clamped to the int8 range cut by the activation. Padding stands for the real number 0. A 1-D convolution has H = Kh = 1.
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
class Conv2d(Op):
    """`padding` is (top, bottom, left, right); pairs are (vertical, horizontal)."""

    name: ClassVar[str] = "conv2d"
    integer_gradient: ClassVar[bool] = True
    int16: ClassVar[bool] = True
    activations: ClassVar[int | None] = 1
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    activation: Activation = "none"

    def window(self, weight: tuple[int, ...]) -> Window:
        return Window((weight[1], weight[2]), self.stride, self.padding, self.dilation)

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        x, w = inputs[0].shape, inputs[1].shape
        if len(w) != 4 or x[-1] != w[3]:
            raise ValueError(f"conv2d: weight {w} does not fit input {x}; it must be (out, kh, kw, {x[-1]})")
        return (*self.window(w).output(x), w[0])

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        x, w, b = inputs
        return activate(self._convolve(x, w, b), self.activation)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x, w, b = inputs
        dtype = exact_dtype(w.q, x.zero_point, b.q, x.bits)
        acc = self._convolve((x.q - x.zero_point).to(dtype), w.q.to(dtype), b.q.to(dtype))
        return requantize_weighted(acc, scale_product(x.scale, w.scale), out.bounded(self.activation))

    def _convolve(self, x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return convolve(x, w.permute(0, 3, 1, 2), b, self.window(tuple(w.shape)))

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        unpadded = replace(self, padding=padding_apart_from(self.padding, axes[0]))
        return windowed(self.window(inputs[1].shape), axes[0], unpadded)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        out = flow.new(shapes[1][0])
        flow.slice(node.inputs[1], 3, inputs[0])
        flow.slice(node.inputs[1], 0, out)
        flow.slice(node.inputs[2], 0, out)
        return out

    def macs(self, inputs: Sequence[TensorType], out: TensorType) -> int:
        return out.elements * inputs[1].elements // inputs[1].shape[0]


EXAMPLES = (
    Example(  # one pixel at a time
        Conv2d(),
        (array((1, 2, 2), 1, 2, 3, 5), array((1, 1, 1, 2), 1, -1), array((1,), 0.5)),
        array((1, 2, 1), -0.5, -1.5),
    ),
    Example(  # a row of padding above, a column to the right
        Conv2d(stride=(2, 1), padding=(1, 0, 0, 1)),
        (array((3, 3, 1), 1, 2, 3, 4, 5, 6, 7, 8, 9), array((1, 2, 2, 1), 1, 2, 3, 4), array((1,), 0)),
        array((2, 3, 1), 11, 18, 9, 67, 77, 33),
    ),
    Example(  # every other pixel
        Conv2d(dilation=(1, 2), activation="relu"),
        (array((1, 4, 1), 1, 2, 3, 4), array((2, 1, 2, 1), 1, 1, 1, -1), array((2,), -5, 8)),
        array((1, 2, 2), 0, 6, 1, 6),
    ),
)

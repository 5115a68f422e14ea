"""Transposed 2-D convolution, which makes images larger.

Input (H, W, C), weight (O, Kh, Kw, C), bias (O,) → (H', W', O).

    out[y·s + ky - top, x·s + kx - left, o] += in[y, x, c] · weight[o, ky, kx, c], on top of bias[o]; then act

Integers as in conv2d, with one weight scale per output channel. A 1-D one has H = Kh = 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized, exact_dtype, requantize, scale_product
from pintsize.deferred import F, torch
from pintsize.graph import Channels, Node, Op, TensorType
from pintsize.ops.activation import Activation, activate
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class TransposeConv2d(Op):
    """`padding` is (top, bottom, left, right): how much of the whole result, (n - 1)·s + k long, is left out.

    A negative number at the bottom or right adds rows or columns there that hold the bias. Pairs are (vertical,
    horizontal).
    """

    name: ClassVar[str] = "transpose_conv2d"
    integer_gradient: ClassVar[bool] = True
    activations: ClassVar[int | None] = 1
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    activation: Activation = "none"

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        x, w = inputs[0].shape, inputs[1].shape
        if len(x) != 3 or len(w) != 4 or x[-1] != w[3]:
            raise ValueError(
                f"transpose_conv2d: weight {w} does not fit input {x}; they must be (out, kh, kw, channels) and "
                "(height, width, channels)"
            )
        top, bottom, left, right = self.padding
        if min(self.stride) < 1 or min(top, left) < 0:
            raise ValueError(
                f"transpose_conv2d: stride {self.stride} must be at least 1, and padding {self.padding} at least 0 "
                "at the top and left"
            )
        height = (x[0] - 1) * self.stride[0] + w[1] - top - bottom
        width = (x[1] - 1) * self.stride[1] + w[2] - left - right
        if height < 1 or width < 1:
            raise ValueError(f"transpose_conv2d: padding {self.padding} leaves nothing of the result")
        return height, width, w[0]

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        x, w, b = inputs
        return activate(self._convolve(x, w, b), self.activation)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x, w, b = inputs
        dtype = exact_dtype(w.q, x.zero_point, b.q)
        acc = self._convolve((x.q - x.zero_point).to(dtype), w.q.to(dtype), b.q.to(dtype))
        return requantize(acc, scale_product(x.scale, w.scale), out.bounded(self.activation))

    def _convolve(self, x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        whole = F.conv_transpose2d(x.permute(0, 3, 1, 2), w.permute(3, 0, 1, 2), None, self.stride)
        top, bottom, left, right = self.padding
        return F.pad(whole, (-left, -right, -top, -bottom)).permute(0, 2, 3, 1) + b

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        out = flow.new(shapes[1][0])
        flow.slice(node.inputs[1], 3, inputs[0])
        flow.slice(node.inputs[1], 0, out)
        flow.slice(node.inputs[2], 0, out)
        return out

    def macs(self, inputs: Sequence[TensorType], out: TensorType) -> int:
        return inputs[0].shape[0] * inputs[0].shape[1] * inputs[1].elements


EXAMPLES = (
    Example(  # the kernel, once per pixel, side by side
        TransposeConv2d(stride=(1, 2)),
        (array((1, 2, 1), 1, 3), array((1, 1, 2, 1), 1, -1), array((1,), 0.5)),
        array((1, 4, 1), 1.5, -0.5, 3.5, -2.5),
    ),
    Example(  # overlapping; a row is left out above, a column to the left
        TransposeConv2d(padding=(1, 0, 1, 0), activation="relu"),
        (array((2, 2, 1), 1, 2, 3, 4), array((1, 2, 2, 1), 1, -1, 2, 0.5), array((1,), 1)),
        array((2, 2, 1), 6.5, 0, 10.5, 3),
    ),
    Example(  # two channels in, two out, with a row and a column of nothing but the bias
        TransposeConv2d(stride=(2, 2), padding=(0, -1, 0, -1)),
        (array((1, 1, 2), 1, 2), array((2, 1, 1, 2), 1, 1, 2, -1), array((2,), 1, 2)),
        array((2, 2, 2), 4, 2, 1, 2, 1, 2, 1, 2),
    ),
)

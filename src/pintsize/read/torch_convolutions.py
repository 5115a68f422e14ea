"""Convolutions and linear layers of torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from pintsize.errors import UnsupportedOp
from pintsize.ops import Conv2d, DepthwiseConv2d, Linear, TransposeConv2d
from pintsize.read.draft import Call, Value
from pintsize.read.layout import Layout

Padding = tuple[int, int, int, int]


def pair(argument: Any, rank: int, fill: int) -> tuple[int, int]:
    """(vertical, horizontal) of an argument of torch, for an image (rank 3) or a signal (rank 2)."""
    numbers = [argument] if isinstance(argument, int) else [int(n) for n in argument]
    if rank == 2:
        return fill, numbers[0]
    return numbers[0], numbers[-1]


def convolution(call: Call) -> Value:
    """aten.conv1d, aten.conv2d and their overloads with padding given as a word."""
    x = call.channels_first(call.value("input"))
    name, weight = call.weights("weight")  # (O, C / groups, Kh, Kw) or (O, C / groups, K)
    if weight.ndim != x.rank + 1 or x.rank not in (2, 3):
        raise UnsupportedOp("convolutions take a signal (batch, C, L) or an image (batch, C, H, W)")
    kernel = weight[:, :, np.newaxis] if x.rank == 2 else weight
    bias = call.weights_or("bias", np.zeros(weight.shape[0]))
    stride = pair(call.arguments["stride"], x.rank, 1)
    dilation = pair(call.arguments["dilation"], x.rank, 1)
    padding = convolution_padding(call.arguments["padding"], kernel.shape[2:], dilation, x.rank)
    multiplier = channel_multiplier(call.arguments["groups"], x.shape[0], weight.shape[0])
    if multiplier is None:
        op, arranged = Conv2d(stride, padding, dilation), kernel.transpose(0, 2, 3, 1)
    else:
        op, arranged = DepthwiseConv2d(stride, padding, dilation, multiplier), kernel[:, 0].transpose(1, 2, 0)
    tensor = call.emit(op, x.tensor, call.constant((name, arranged)), call.constant(bias))
    return call.result(tensor, x.layout)


def transposed_convolution(call: Call) -> Value:
    """aten.conv_transpose1d, aten.conv_transpose2d."""
    x = call.channels_first(call.value("input"))
    name, weight = call.weights("weight")  # (C, O / groups, Kh, Kw) or (C, O / groups, K)
    if weight.ndim != x.rank + 1 or x.rank not in (2, 3):
        raise UnsupportedOp("convolutions take a signal (batch, C, L) or an image (batch, C, H, W)")
    if call.arguments["groups"] != 1 or pair(call.arguments["dilation"], x.rank, 1) != (1, 1):
        raise UnsupportedOp("a transposed convolution must have groups=1 and dilation=1")
    kernel = weight[:, :, np.newaxis] if x.rank == 2 else weight
    bias = call.weights_or("bias", np.zeros(weight.shape[1]))
    top, left = pair(call.arguments["padding"], x.rank, 0)
    below, right = pair(call.arguments["output_padding"], x.rank, 0)
    op = TransposeConv2d(pair(call.arguments["stride"], x.rank, 1), (top, top - below, left, left - right))
    arranged = kernel.transpose(1, 2, 3, 0)
    tensor = call.emit(op, x.tensor, call.constant((name, arranged)), call.constant(bias))
    return call.result(tensor, x.layout)


def convolution_padding(
    argument: Any, kernel: tuple[int, ...], dilation: tuple[int, int], rank: int
) -> Padding:
    """(top, bottom, left, right). "same" puts the odd one below and to the right, as torch does."""
    if argument == "valid":
        return 0, 0, 0, 0
    if argument == "same":
        vertical, horizontal = (d * (k - 1) for d, k in zip(dilation, kernel, strict=True))
        return vertical // 2, vertical - vertical // 2, horizontal // 2, horizontal - horizontal // 2
    vertical, horizontal = pair(argument, rank, 0)
    return vertical, vertical, horizontal, horizontal


def channel_multiplier(groups: int, inputs: int, outputs: int) -> int | None:
    """Outputs per channel if depthwise, None if groups=1. Raises UnsupportedOp for others."""
    if groups == 1:
        return None
    if groups == inputs:
        return outputs // inputs
    raise UnsupportedOp(
        f"groups={groups} with {inputs} input channels: use groups=1, or groups={inputs} (depthwise)"
    )


def linear(call: Call) -> Value:
    """aten.linear: over torch's last axis."""
    x = call.arranged(call.value("input"), Layout.PLAIN)
    weight = call.weights("weight")
    bias = call.weights_or("bias", np.zeros(weight[1].shape[0]))
    tensor = call.emit(Linear(), x.tensor, call.constant(weight), call.constant(bias))
    return call.result(tensor, Layout.PLAIN)

"""Operators with weights: CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pintsize.errors import ModelError, UnsupportedOp
from pintsize.ops import Conv2d, DepthwiseConv2d, Linear, TransposeConv2d
from pintsize.read.tflite_activation import activation_of
from pintsize.read.tflite_draft import Call
from pintsize.read.tflite_weights import Channels, constants

SAME, VALID = 0, 1
EXTENTS_MAX = 4096
IMAGE_MAX = 2**14


def extents(call: Call, *names: str) -> tuple[int, int]:
    """(vertical, horizontal) strides, dilations or window sizes. Raises ModelError when not positive."""
    first, second = (call.option(n) for n in names)
    if not (1 <= first <= EXTENTS_MAX and 1 <= second <= EXTENTS_MAX):
        raise ModelError(
            f"{call.place}: {', '.join(names)} are {first}, {second}; 1 to {EXTENTS_MAX} is allowed"
        )
    return first, second


def padding_of(
    call: Call,
    image: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int] = (1, 1),
) -> tuple[int, int, int, int]:
    """SAME or VALID as (top, bottom, left, right) for an image (height, width, …)."""
    kind = call.option("Padding")
    if kind == VALID:
        return 0, 0, 0, 0
    if kind != SAME:
        raise ModelError(f"{call.place} has an unknown padding {kind}")
    both = zip(image, kernel, stride, dilation, strict=False)
    (top, bottom), (left, right) = (_same(*one) for one in both)
    return top, bottom, left, right


def _same(extent: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """As many outputs as strides fit; an odd row of padding goes behind."""
    steps = -(-extent // stride)
    total = max(0, (steps - 1) * stride + dilation * (kernel - 1) + 1 - extent)
    return total // 2, total - total // 2


def image_shape(call: Call, name: str, position: int = 0) -> tuple[int, ...]:
    """(height, width, channels) of an activation. Raises ModelError for anything else."""
    shape = call.draft.type(name).shape
    if len(shape) != 3 or max(shape[:2]) > IMAGE_MAX:
        full = call.full_shape(position)
        raise ModelError(f"{call.place}: needs an image of batch 1 and sides up to {IMAGE_MAX}, not {full}")
    return shape


def conv2d(call: Call) -> None:
    x = call.activation()
    image, weight = image_shape(call, x), call.flat(1)
    if len(weight.shape) != 4:
        raise ModelError(f"{call.place}: a weight {weight.shape}; (out, height, width, in) is needed")
    if image[2] != weight.shape[3]:
        raise UnsupportedOp(
            f"{image[2]} channels with a weight {weight.shape}: groups; 1 or depthwise is read"
        )
    stride, dilation = (
        extents(call, "StrideH", "StrideW"),
        extents(call, "DilationHFactor", "DilationWFactor"),
    )
    padding = padding_of(call, image, weight.shape[1:3], stride, dilation)
    op = Conv2d(stride, padding, dilation, activation_of(call))
    call.emit(op, x, *constants(call, x, call.numbers(1), Channels(weight.shape[0], 0, 0)))


def depthwise_conv2d(call: Call) -> None:
    x = call.activation()
    image, weight = image_shape(call, x), call.flat(1)
    if len(weight.shape) != 4 or weight.shape[0] != 1:
        raise ModelError(f"{call.place}: a weight {weight.shape}; (1, height, width, out) is needed")
    multiplier, rest = divmod(weight.shape[3], image[2])
    if rest or not multiplier:
        raise ModelError(f"{call.place}: {weight.shape[3]} channels are no multiple of {image[2]}")
    stride, dilation = (
        extents(call, "StrideH", "StrideW"),
        extents(call, "DilationHFactor", "DilationWFactor"),
    )
    padding = padding_of(call, image, weight.shape[1:3], stride, dilation)
    op = DepthwiseConv2d(stride, padding, dilation, multiplier, activation_of(call))
    numbers = call.numbers(1)
    call.emit(op, x, *constants(call, x, numbers[0], Channels(weight.shape[3], 3, 2)))


def transpose_conv2d(call: Call) -> None:
    """The size of the output comes first, then the weight, then the image."""
    x, weight, size = call.activation(2), call.flat(1), call.whole_numbers(0)
    image = image_shape(call, x, 2)
    if len(weight.shape) != 4 or len(size) != 4 or size[0] != 1:
        raise ModelError(
            f"{call.place}: a weight {weight.shape} and a size {size}; of both four numbers are needed"
        )
    stride, kernel = extents(call, "StrideH", "StrideW"), weight.shape[1:3]
    top, _, left, _ = padding_of(call, size[1:3], kernel, stride)
    whole = [(n - 1) * s + k for n, s, k in zip(image, stride, kernel, strict=False)]
    padding = top, whole[0] - top - size[1], left, whole[1] - left - size[2]
    op = TransposeConv2d(stride, padding, activation_of(call))
    call.emit(op, x, *constants(call, x, call.numbers(1), Channels(weight.shape[0], 0, 0, bias=3)))


def linear(call: Call) -> None:
    """Over the last axis; where the file's weight is longer, over the last axes together."""
    x, weight = call.activation(), call.flat(1)
    if call.option("WeightsFormat") != 0:
        raise UnsupportedOp("shuffled weights; the default format is read")
    if len(weight.shape) != 2:
        raise ModelError(f"{call.place}: a weight {weight.shape}; (out, in) is needed")
    shape, (outputs, width) = call.draft.type(x).shape, weight.shape
    if shape[-1] != width:
        x = call.reshaped(x, _rows(call, shape, width))
    constant = constants(call, x, call.numbers(1), Channels(outputs, 0, 0))
    rows = call.draft.type(x).shape[:-1]
    declared = call.out_shape()
    made = (*rows, outputs)
    if declared is None or _fits(declared, made):
        call.emit(Linear(activation_of(call)), x, *constant)
        return
    raise ModelError(f"{call.place} makes {made}; the file says {declared}")


def _rows(call: Call, shape: tuple[int, ...], width: int) -> tuple[int, ...]:
    total = int(np.prod(shape))
    if width == 0 or total % width:
        raise ModelError(f"{call.place}: the input {shape} does not split into rows of {width}")
    return (width,) if total == width else (total // width, width)


def _fits(declared: tuple[int, ...], made: tuple[int, ...]) -> bool:
    return declared in (made, (1, *made))

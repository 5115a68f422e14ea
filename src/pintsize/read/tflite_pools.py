"""Pools, reductions over whole axes, and resizing."""

from __future__ import annotations

from pintsize.errors import ModelError, UnsupportedOp
from pintsize.ops import AveragePool2d, MaxPool2d, Mean, ResizeBilinear, ResizeNearest, Sum
from pintsize.read.tflite_arithmetic import with_activation
from pintsize.read.tflite_draft import Call
from pintsize.read.tflite_layers import EXTENTS_MAX, extents, image_shape, padding_of


def average_pool2d(call: Call) -> None:
    x, kernel, stride, padding = _window(call)
    with_activation(call, AveragePool2d(kernel, stride, padding), x)


def max_pool2d(call: Call) -> None:
    x, kernel, stride, padding = _window(call)
    with_activation(call, MaxPool2d(kernel, stride, padding), x)


def _window(call: Call) -> tuple[str, tuple[int, int], tuple[int, int], tuple[int, int, int, int]]:
    x = call.activation()
    call.require_same_grid(x)
    image = image_shape(call, x)
    kernel, stride = extents(call, "FilterHeight", "FilterWidth"), extents(call, "StrideH", "StrideW")
    return x, kernel, stride, padding_of(call, image, kernel, stride)


def mean(call: Call) -> None:
    _reduce(call, Mean)


def total(call: Call) -> None:
    _reduce(call, Sum)


def _reduce(call: Call, kind: type[Mean] | type[Sum]) -> None:
    axes, after = _reduced(call)
    x, left_out = call.along(call.activation(), call.full_shape(), axes)
    call.emit(kind(tuple(a - left_out for a in axes), keep=True), x, full=after)


def maximum_over(call: Call) -> None:
    """Of an image over its height and width."""
    x, (axes, after) = call.activation(), _reduced(call)
    shape = call.draft.type(x).shape
    if len(shape) != 3 or axes != (1, 2):
        raise UnsupportedOp(f"of {call.full_shape()} over axes {axes}; height and width are read")
    call.emit(MaxPool2d((shape[0], shape[1]), (1, 1)), x, full=after)


def _reduced(call: Call) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(axes counted from 0, the shape after), batch included; the batch itself, of one, needs no work."""
    full = call.full_shape()
    axes = sorted({call.one_axis(a, len(full)) for a in call.whole_numbers(1)})
    keeps = bool(call.option("KeepDims"))
    after = tuple(1 if a in axes else n for a, n in enumerate(full) if keeps or a not in axes)
    working = tuple(a for a in axes if full[a] != 1) or tuple(axes[-1:])
    if not working:
        raise ModelError(f"{call.place}: no axes to reduce")
    return working, after


def resize_nearest(call: Call) -> None:
    x, size, flags = _resized(call)
    call.emit(ResizeNearest(size, *flags), x)


def resize_bilinear(call: Call) -> None:
    x, size, flags = _resized(call)
    call.emit(ResizeBilinear(size, *flags), x)


def _resized(call: Call) -> tuple[str, tuple[int, int], tuple[bool, bool]]:
    x, size = call.activation(), call.whole_numbers(1)
    image_shape(call, x)
    if len(size) != 2 or not all(1 <= n <= EXTENTS_MAX for n in size):
        raise ModelError(f"{call.place}: the size {size}; two numbers of 1 to {EXTENTS_MAX} are needed")
    flags = bool(call.option("AlignCorners")), bool(call.option("HalfPixelCenters"))
    return x, (size[0], size[1]), flags

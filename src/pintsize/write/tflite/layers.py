"""Layers with weights and pools: an operator's padding is SAME or VALID, so any other becomes a PAD before it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pintsize.errors import UnsupportedOp
from pintsize.graph import TensorType
from pintsize.ops import AveragePool2d, Conv2d, DepthwiseConv2d, Linear, MaxPool2d, TransposeConv2d
from pintsize.ops.window import Window
from pintsize.write.tflite.draft import Writing
from pintsize.write.tflite.flat import Attribute, FlatTensor
from pintsize.write.tflite.shapes import strided_slice

SAME, VALID = 0, 1
Padding = tuple[int, int, int, int]


def same_padding(image: tuple[int, ...], window: Window) -> Padding:
    """What SAME stands for: as many outputs as strides fit, an odd row behind."""
    sides: list[int] = []
    for extent, kernel, stride, dilation in zip(
        image, window.kernel, window.stride, window.dilation, strict=False
    ):
        steps = -(-extent // stride)
        total = max(0, (steps - 1) * stride + dilation * (kernel - 1) + 1 - extent)
        sides += [total // 2, total - total // 2]
    top, bottom, left, right = sides
    return top, bottom, left, right


def padded(writing: Writing, window: Window, lowest: bool = False) -> tuple[int, int]:
    """(the file's input, SAME or VALID), with a PAD in between where neither fits.

    lowest: pad with the smallest number there is (a maximum's neutral element), not with what stands for 0.
    """
    x, kind = writing.input(), writing.type(0)
    if not any(window.padding):
        return x, VALID
    if window.padding == same_padding(kind.shape, window):
        return x, SAME
    top, bottom, left, right = window.padding
    height, width, channels = kind.shape
    larger = replace(kind, shape=(height + top + bottom, width + left + right, channels))
    amounts = writing.whole_numbers("paddings", np.array([[0, 0], [top, bottom], [left, right], [0, 0]]))
    between = writing.between("padded", larger)
    if lowest:
        fill = _lowest(writing, kind)
        return writing.emit("PADV2", (x, amounts, fill), "PadV2Options", output=between, version=2), VALID
    return writing.emit("PAD", (x, amounts), "PadOptions", output=between, version=2), VALID


def _lowest(writing: Writing, kind: TensorType) -> int:
    name = f"{writing.node.output}.lowest"
    if kind.dtype == "float32":
        lowest = np.finfo("<f4").min.tobytes()
        return writing.draft.add(FlatTensor(name, (1,), "FLOAT32", data=lowest))
    data = np.array([-128], "i1").tobytes()
    return writing.draft.add(FlatTensor(name, (1,), "INT8", kind.scale, kind.zero_point, data=data))


def conv2d(writing: Writing) -> None:
    op = writing.node.op
    assert isinstance(op, Conv2d)
    x, padding = padded(writing, op.window(writing.type(1).shape))
    weights = writing.weight(1, narrow=True), writing.bias(2)
    attributes = _convolution(writing, padding, op.stride, op.dilation)
    writing.emit("CONV_2D", (x, *weights), "Conv2DOptions", attributes, version=3)


def depthwise_conv2d(writing: Writing) -> None:
    op = writing.node.op
    assert isinstance(op, DepthwiseConv2d)
    shape = writing.type(1).shape
    x, padding = padded(writing, op.window(shape))
    weights = writing.weight(1, (1, *shape), axis=3, narrow=True), writing.bias(2)
    attributes = _convolution(writing, padding, op.stride, op.dilation) | {"DepthMultiplier": op.multiplier}
    writing.emit("DEPTHWISE_CONV_2D", (x, *weights), "DepthwiseConv2DOptions", attributes, version=3)


def _convolution(
    writing: Writing, padding: int, stride: tuple[int, int], dilation: tuple[int, int]
) -> dict[str, Attribute]:
    return {
        "Padding": padding, "StrideH": stride[0], "StrideW": stride[1], "DilationHFactor": dilation[0],
        "DilationWFactor": dilation[1], "FusedActivationFunction": writing.activation_code(),
    }  # fmt: skip


def linear(writing: Writing) -> None:
    """TFLite Micro reads 4-bit weights here only where they share one scale."""
    assert isinstance(writing.node.op, Linear)
    weights = writing.weight(1, narrow=len(writing.type(1).scale) == 1), writing.bias(2)
    attributes = {
        "FusedActivationFunction": writing.activation_code(),
        "KeepNumDims": len(writing.type(0).shape) > 1,
    }
    writing.emit(
        "FULLY_CONNECTED", (writing.input(), *weights), "FullyConnectedOptions", attributes, version=5
    )


def transpose_conv2d(writing: Writing) -> None:
    """SAME or VALID where they make this size; else the whole result, and the part of it that is wanted."""
    op, out = writing.node.op, writing.out
    assert isinstance(op, TransposeConv2d)
    kernel = writing.type(1).shape[1:3]
    sizes = zip(writing.type(0).shape, op.stride, kernel, strict=False)
    whole = replace(out, shape=(*((n - 1) * s + k for n, s, k in sizes), out.shape[2]))
    window = Window((kernel[0], kernel[1]), op.stride)
    same = (
        op.padding == same_padding(out.shape, window)
        and _steps(out.shape, op.stride) == writing.type(0).shape[:2]
    )
    if not same and min(op.padding) < 0:
        raise UnsupportedOp(f"padding {op.padding}; .tflite adds no rows behind")
    made = out if same or not any(op.padding) else whole
    shape = writing.whole_numbers("shape", (1, *made.shape))
    weights = writing.weight(1), writing.input(), writing.bias(2)
    attributes: dict[str, Attribute] = {
        "Padding": SAME if same else VALID, "StrideH": op.stride[0], "StrideW": op.stride[1],
    }  # fmt: skip
    crops, bounded = made.shape != out.shape, op.activation != "none"
    first = writing.between("whole", made) if crops or bounded else None
    x = writing.emit(
        "TRANSPOSE_CONV", (shape, *weights), "TransposeConvOptions", attributes, first, version=3
    )
    if crops:
        top, _, left, _ = op.padding
        part = [range(a, a + n) for a, n in zip((top, left, 0), out.shape, strict=True)]
        x = writing.emit(*strided_slice(writing, x, part), writing.between("part", out) if bounded else None)
    if bounded:
        writing.emit(op.activation.upper(), (x,), version=2)


def _steps(shape: tuple[int, ...], stride: tuple[int, int]) -> tuple[int, ...]:
    return tuple(-(-n // s) for n, s in zip(shape, stride, strict=False))


def average_pool2d(writing: Writing) -> None:
    op = writing.node.op
    assert isinstance(op, AveragePool2d)
    if any(op.padding) and op.padding != same_padding(writing.type(0).shape, op.window):
        raise UnsupportedOp(f"padding {op.padding} that does not count; .tflite has only SAME")
    x, padding = padded(writing, op.window)
    writing.emit("AVERAGE_POOL_2D", (x,), "Pool2DOptions", _pool(op.window, padding), version=2)


def max_pool2d(writing: Writing) -> None:
    op = writing.node.op
    assert isinstance(op, MaxPool2d)
    if op.dilation != (1, 1):
        raise UnsupportedOp(f"dilation {op.dilation}; .tflite has none in pools")
    x, padding = padded(writing, op.window, lowest=True)
    writing.emit("MAX_POOL_2D", (x,), "Pool2DOptions", _pool(op.window, padding), version=2)


def _pool(window: Window, padding: int) -> dict[str, Attribute]:
    return {
        "Padding": padding, "StrideH": window.stride[0], "StrideW": window.stride[1],
        "FilterHeight": window.kernel[0], "FilterWidth": window.kernel[1], "FusedActivationFunction": 0,
    }  # fmt: skip

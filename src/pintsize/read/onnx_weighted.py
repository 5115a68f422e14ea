"""ONNX's convolutions, matrix products and normalizations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pintsize.errors import UnsupportedOp
from pintsize.graph import Op
from pintsize.ops import Conv2d, DepthwiseConv2d, LayerNorm, Linear, Matmul, TransposeConv2d
from pintsize.read import torch_arithmetic
from pintsize.read.draft import Value
from pintsize.read.layout import Layout
from pintsize.read.onnx_call import OnnxCall, axis_of
from pintsize.read.torch_convolutions import channel_multiplier

Pair = tuple[int, int]
Padding = tuple[int, int, int, int]


def as_pair(numbers: Sequence[int], fill: int) -> Pair:
    """(vertical, horizontal) of one number for a signal or two for an image."""
    return (fill, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])


def image_of(call: OnnxCall) -> Value:
    """The first input, channels first. Raises UnsupportedOp unless it is a signal or an image."""
    x = call.call().channels_first(call.value())
    if x.layout is Layout.PLAIN:
        raise UnsupportedOp(f"it takes a signal (N, C, L) or an image (N, C, H, W), not {x.rank + 1} axes")
    return x


def padding_of(call: OnnxCall, extent: Pair, reach: Pair, stride: Pair, spatial: int) -> Padding:
    """(top, bottom, left, right) from `pads` or `auto_pad`; reach: the kernel with its dilation."""
    word = call.word("auto_pad", "NOTSET")
    if word in ("NOTSET", "VALID"):
        pads = call.extents("pads", [0] * 2 * spatial) if word == "NOTSET" else [0] * 2 * spatial
        begin, end = as_pair(pads[:spatial], 0), as_pair(pads[spatial:], 0)
        return begin[0], end[0], begin[1], end[1]
    if word not in ("SAME_UPPER", "SAME_LOWER"):
        raise UnsupportedOp(f"auto_pad={word[:20]!r} is not known")
    found: list[int] = []
    for n, k, s in zip(extent, reach, stride, strict=True):
        total = max(0, (-(-n // s) - 1) * s + k - n)
        sides = (total // 2, total - total // 2)
        found += sides if word == "SAME_UPPER" else sides[::-1]
    return found[0], found[1], found[2], found[3]


def reach_of(kernel: Pair, dilation: Pair) -> Pair:
    """How far a kernel looks: its first to its last tap."""
    return dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1


def steps(call: OnnxCall, attribute: str, spatial: int) -> Pair:
    """Stride or dilation: at least 1. Raises UnsupportedOp."""
    found = as_pair(call.extents(attribute, [1] * spatial), 1)
    if min(found) < 1:
        raise UnsupportedOp(f"{attribute}={found} must be at least 1")
    return found


def _kernel(call: OnnxCall, x: Value) -> tuple[str, np.ndarray]:
    """Name and weights (…, …, Kh, Kw); a signal's have Kh = 1."""
    name, weight = call.weights(1)
    if weight.ndim != x.rank + 1:
        raise UnsupportedOp(f"weights of shape {weight.shape} do not fit {x.rank + 1} axes")
    return name, weight[:, :, np.newaxis] if x.rank == 2 else weight


def convolution(call: OnnxCall) -> Value:
    """Conv."""
    x = image_of(call)
    name, kernel = _kernel(call, x)
    spatial = x.rank - 1
    stride, dilation = steps(call, "strides", spatial), steps(call, "dilations", spatial)
    height, width, _ = x.layout.graph_shape(x.shape)
    reach = reach_of((kernel.shape[2], kernel.shape[3]), dilation)
    padding = padding_of(call, (height, width), reach, stride, spatial)
    multiplier = channel_multiplier(call.integer("group", 1), x.shape[0], kernel.shape[0])
    if multiplier is None:
        op, arranged = Conv2d(stride, padding, dilation), kernel.transpose(0, 2, 3, 1)
    else:
        op, arranged = DepthwiseConv2d(stride, padding, dilation, multiplier), kernel[:, 0].transpose(1, 2, 0)
    return _emitted(call, op, x, (name, arranged), kernel.shape[0])


def _emitted(call: OnnxCall, op: Op, x: Value, weight: tuple[str, np.ndarray], outputs: int) -> Value:
    bias = call.weights_or(2, "bias", np.zeros(outputs))
    work = call.call()
    return call.natural(work.emit(op, x.tensor, work.constant(weight), work.constant(bias)), x.layout)


def transposed_convolution(call: OnnxCall) -> Value:
    """ConvTranspose: weights (C, O, Kh, Kw)."""
    x = image_of(call)
    name, kernel = _kernel(call, x)
    spatial = x.rank - 1
    stride, dilation = steps(call, "strides", spatial), steps(call, "dilations", spatial)
    if call.integer("group", 1) != 1 or dilation != (1, 1) or "output_shape" in call.attributes:
        raise UnsupportedOp("only group=1, without dilation and output_shape, is supported")
    extra = as_pair(call.extents("output_padding", [0] * spatial), 0)
    top, bottom, left, right = _cut(call, kernel.shape[2:], stride, extra, spatial)
    op = TransposeConv2d(stride, (top, bottom - extra[0], left, right - extra[1]))
    return _emitted(call, op, x, (name, kernel.transpose(1, 2, 3, 0)), kernel.shape[1])


def _cut(call: OnnxCall, kernel: Sequence[int], stride: Pair, extra: Pair, spatial: int) -> Padding:
    """What a transposed convolution leaves out on each side."""
    word = call.word("auto_pad", "NOTSET")
    if word in ("NOTSET", "VALID"):
        return padding_of(call, (1, 1), (1, 1), stride, spatial)
    totals = [max(0, k + e - s) for k, e, s in zip(kernel, extra, stride, strict=True)]
    less, more = [t // 2 for t in totals], [t - t // 2 for t in totals]
    if word == "SAME_UPPER":
        return less[0], more[0], less[1], more[1]
    return more[0], less[0], more[1], less[1]


def gemm(call: OnnxCall) -> Value:
    """Gemm: alpha · x · weights + beta · bias."""
    if call.integer("transA", 0):
        raise UnsupportedOp("transA is not supported: it moves the batch")
    name, weight = call.weights(1)
    if weight.ndim != 2:
        raise UnsupportedOp(f"weights of shape {weight.shape}: they must have two axes")
    alpha, beta = call.number("alpha", 1.0), call.number("beta", 1.0)
    if alpha != 1.0 and call.known(1).grid is not None:
        raise UnsupportedOp("alpha with quantized weights is not supported: put it into their scale")
    rows = (weight if call.integer("transB", 0) else weight.T) * alpha
    return _linear(call, (name, rows), _gemm_bias(call, rows.shape[0], beta))


def _gemm_bias(call: OnnxCall, outputs: int, beta: float) -> tuple[str, np.ndarray]:
    name, bias = call.weights_or(2, "bias", np.zeros(outputs))
    if bias.size not in (1, outputs) or (bias.size > 1 and bias.shape[-1] != outputs):
        raise UnsupportedOp(f"a bias of shape {bias.shape} must have one number per output")
    if beta == 1.0 and bias.size == outputs:
        return name, bias.reshape(outputs)
    given = call.given(2)
    if beta != 1.0 and getattr(given, "grid", None) is not None:
        raise UnsupportedOp("beta with a quantized bias is not supported: put it into its scale")
    return f"{call.name}.bias", np.broadcast_to(bias.reshape(-1), (outputs,)) * beta


def _linear(call: OnnxCall, weight: tuple[str, np.ndarray], bias: tuple[str, np.ndarray]) -> Value:
    work = call.call()
    x = work.arranged(call.value(), Layout.PLAIN)
    return call.natural(
        work.emit(Linear(), x.tensor, work.constant(weight), work.constant(bias)), Layout.PLAIN
    )


def matmul(call: OnnxCall) -> Value:
    """MatMul: with constant weights on the right a linear layer, else a product of two tensors."""
    if isinstance(call.given(1), Value) and isinstance(call.given(0), Value):
        work = call.call()
        a, b = (work.arranged(call.value(i), Layout.PLAIN) for i in (0, 1))
        return call.natural(work.emit(Matmul(), a.tensor, b.tensor), Layout.PLAIN)
    name, weight = call.weights(1)
    if weight.ndim != 2:
        raise UnsupportedOp(f"weights of shape {weight.shape}: they must have two axes")
    return _linear(call, (name, weight.T), (f"{call.name}.bias", np.zeros(weight.shape[1])))


def batch_norm(call: OnnxCall) -> Value:
    """BatchNormalization with the statistics of training."""
    names = ("weight", "bias", "running_mean", "running_var")
    constants = {name: call.known(i) for i, name in enumerate(names, 1)}
    training = bool(call.integer("training_mode", 0))
    work = call.call(input=call.value(), training=training, eps=call.number("epsilon", 1e-5), **constants)
    return torch_arithmetic.batch_norm(work)


def layer_norm(call: OnnxCall) -> Value:
    """LayerNormalization over the last axis."""
    work = call.call()
    x = work.arranged(call.value(), Layout.PLAIN)
    if axis_of(call.integer("axis", -1), x.rank) != x.rank:
        raise UnsupportedOp("only the last axis is supported")
    features = x.shape[-1]
    scale = call.weights_or(1, "weight", np.ones(features))
    bias = call.weights_or(2, "bias", np.zeros(features))
    op = LayerNorm(call.number("epsilon", 1e-5))
    return call.natural(work.emit(op, x.tensor, work.constant(scale), work.constant(bias)), Layout.PLAIN)

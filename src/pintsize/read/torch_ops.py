"""How each op of torch is read: an explicit table, from aten's overloads to functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from pintsize.errors import UnsupportedOp
from pintsize.graph import Op
from pintsize.ops import (
    Abs,
    Elu,
    Exp,
    Gelu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
    Maximum,
    Minimum,
    Relu,
    Relu6,
    Rsqrt,
    Sigmoid,
    Sqrt,
    Square,
    Tanh,
)
from pintsize.read.draft import Call, Value
from pintsize.read.token_ids import embedding
from pintsize.read.torch_arithmetic import (
    add,
    batch_norm,
    bounded,
    divide,
    extremum,
    mul,
    negate,
    prelu,
    subtract,
    subtract_from,
)
from pintsize.read.torch_convolutions import convolution, linear, transposed_convolution
from pintsize.read.torch_images import linear as interpolated
from pintsize.read.torch_images import nearest, nearest_exact, pad
from pintsize.read.torch_matrices import attention, layer_norm, matmul
from pintsize.read.torch_pools import (
    adaptive_average_pool,
    adaptive_max_pool,
    average_pool,
    max_pool,
    maximum,
    maximum_with_indices,
    mean,
    total,
)
from pintsize.read.torch_recurrent import gru, lstm
from pintsize.read.torch_selection import (
    flip,
    glu,
    index,
    index_select,
    narrow,
    pixel_shuffle,
    repeat,
    select,
    slice_,
    split,
    stack,
    unbind,
)
from pintsize.read.torch_shapes import concat, log_softmax, permute, reshape, softmax, transpose

POWERS: dict[float, Op] = {2: Square(), 0.5: Sqrt(), -0.5: Rsqrt()}

Result = Value | tuple[Any, ...]
Reader = Callable[[Call], Result]


def first(call: Call) -> Value:
    """The op's first argument, which must depend on the input."""
    return call.value(next(iter(call.arguments)))


def apply(call: Call, op: Op) -> Value:
    """An op on one tensor that keeps its shape."""
    x = first(call)
    return Value(call.emit(op, x.tensor), x.shape, x.layout)


def elementwise(op: Op) -> Reader:
    """The reading function of an activation without attributes."""
    return lambda call: apply(call, op)


def leaky_relu(call: Call) -> Value:
    return apply(call, LeakyRelu(float(call.arguments["negative_slope"])))


def hardtanh(call: Call) -> Value:
    return _clamp(call, call.arguments["min_val"], call.arguments["max_val"])


def clamp(call: Call) -> Value:
    return _clamp(call, call.arguments.get("min"), call.arguments.get("max"))


def _clamp(call: Call, low: Any, high: Any) -> Value:
    if low == 0 and high in (None, 6):
        return apply(call, Relu() if high is None else Relu6())
    if not all(bound is None or isinstance(bound, int | float) for bound in (low, high)):
        raise UnsupportedOp(f"bounds {low}, {high}: they must be numbers")
    return bounded(call, low, high)


def elu(call: Call) -> Value:
    if call.arguments["scale"] != 1 or call.arguments["input_scale"] != 1:
        raise UnsupportedOp("a scaled ELU is not supported: use nn.ELU")
    return apply(call, Elu(float(call.arguments["alpha"])))


def gelu(call: Call) -> Value:
    return apply(call, Gelu(call.arguments["approximate"] == "tanh"))


def power(call: Call) -> Value:
    exponent = call.arguments["exponent"]
    if exponent not in POWERS:
        raise UnsupportedOp(f"x ** {exponent}: the powers {sorted(POWERS)} are supported")
    return apply(call, POWERS[exponent])


def dropout(call: Call) -> Value:
    if call.arguments["train"]:
        raise UnsupportedOp("it drops at random: call model.eval() before torch.export.export")
    return first(call)


aten = torch.ops.aten

READERS: dict[Any, Reader] = {
    aten.conv1d.default: convolution,
    aten.conv1d.padding: convolution,
    aten.conv2d.default: convolution,
    aten.conv2d.padding: convolution,
    aten.conv_transpose1d.default: transposed_convolution,
    aten.conv_transpose2d.input: transposed_convolution,
    aten.linear.default: linear,
    aten.matmul.default: matmul,
    aten.bmm.default: matmul,
    aten.mm.default: matmul,
    aten.scaled_dot_product_attention.default: attention,
    aten.layer_norm.default: layer_norm,
    aten.embedding.default: embedding,
    aten.lstm.input: lstm,
    aten.gru.input: gru,
    aten.batch_norm.default: batch_norm,
    aten.relu.default: elementwise(Relu()),
    aten.relu_.default: elementwise(Relu()),
    aten.relu6.default: elementwise(Relu6()),
    aten.relu6_.default: elementwise(Relu6()),
    aten.hardtanh.default: hardtanh,
    aten.hardtanh_.default: hardtanh,
    aten.clamp.default: clamp,
    aten.clamp_.default: clamp,
    aten.clamp_min.default: clamp,
    aten.clamp_min_.default: clamp,
    aten.hardswish.default: elementwise(HardSwish()),
    aten.hardswish_.default: elementwise(HardSwish()),
    aten.leaky_relu.default: leaky_relu,
    aten.leaky_relu_.default: leaky_relu,
    aten.sigmoid.default: elementwise(Sigmoid()),
    aten.sigmoid_.default: elementwise(Sigmoid()),
    aten.tanh.default: elementwise(Tanh()),
    aten.tanh_.default: elementwise(Tanh()),
    aten.softmax.int: softmax,
    aten.max_pool1d.default: max_pool,
    aten.max_pool2d.default: max_pool,
    aten.avg_pool1d.default: average_pool,
    aten.avg_pool2d.default: average_pool,
    aten.adaptive_avg_pool1d.default: adaptive_average_pool,
    aten.adaptive_avg_pool2d.default: adaptive_average_pool,
    aten.adaptive_max_pool1d.default: adaptive_max_pool,
    aten.adaptive_max_pool2d.default: adaptive_max_pool,
    aten.mean.dim: mean,
    aten.amax.default: maximum,
    aten.max.dim: maximum_with_indices,
    aten.elu.default: elu,
    aten.elu_.default: elu,
    aten.gelu.default: gelu,
    aten.prelu.default: prelu,
    aten.hardsigmoid.default: elementwise(HardSigmoid()),
    aten.hardsigmoid_.default: elementwise(HardSigmoid()),
    aten.abs.default: elementwise(Abs()),
    aten.exp.default: elementwise(Exp()),
    aten.sqrt.default: elementwise(Sqrt()),
    aten.rsqrt.default: elementwise(Rsqrt()),
    aten.square.default: elementwise(Square()),
    aten.pow.Tensor_Scalar: power,
    aten.log_softmax.int: log_softmax,
    aten.clamp_max.default: clamp,
    aten.minimum.default: extremum(Minimum()),
    aten.maximum.default: extremum(Maximum()),
    aten.sum.dim_IntList: total,
    aten.upsample_nearest1d.vec: nearest,
    aten.upsample_nearest2d.vec: nearest,
    aten._upsample_nearest_exact1d.vec: nearest_exact,
    aten._upsample_nearest_exact2d.vec: nearest_exact,
    aten.upsample_linear1d.vec: interpolated,
    aten.upsample_bilinear2d.vec: interpolated,
    aten.pixel_shuffle.default: pixel_shuffle,
    aten.pad.default: pad,
    aten.slice.Tensor: slice_,
    aten.narrow.default: narrow,
    aten.chunk.default: split,
    aten.split.Tensor: split,
    aten.split.sizes: split,
    aten.split_with_sizes.default: split,
    aten.select.int: select,
    aten.unbind.int: unbind,
    aten.index_select.default: index_select,
    aten.index.Tensor: index,
    aten.flip.default: flip,
    aten.repeat.default: repeat,
    aten.tile.default: repeat,
    aten.expand.default: repeat,
    aten.stack.default: stack,
    aten.glu.default: glu,
    aten.flatten.using_ints: reshape,
    aten.view.default: reshape,
    aten.reshape.default: reshape,
    aten.squeeze.default: reshape,
    aten.squeeze.dim: reshape,
    aten.squeeze.dims: reshape,
    aten.unsqueeze.default: reshape,
    aten.unflatten.int: reshape,
    aten.permute.default: permute,
    aten.transpose.int: transpose,
    aten.swapaxes.default: transpose,
    aten.cat.default: concat,
    aten.add.Tensor: add,
    aten.add_.Tensor: add,
    aten.mul.Tensor: mul,
    aten.mul_.Tensor: mul,
    aten.sub.Tensor: subtract,
    aten.sub_.Tensor: subtract,
    aten.rsub.Scalar: subtract_from,
    aten.rsub.Tensor: subtract_from,
    aten.div.Tensor: divide,
    aten.div_.Tensor: divide,
    aten.neg.default: negate,
    aten.dropout.default: dropout,
    aten.dropout_.default: dropout,
    aten.feature_dropout.default: dropout,
    aten.feature_dropout_.default: dropout,
    aten.alpha_dropout.default: dropout,
    aten.alpha_dropout_.default: dropout,
    aten.feature_alpha_dropout.default: dropout,
    aten.feature_alpha_dropout_.default: dropout,
    aten.alias.default: first,
    aten.clone.default: first,
    aten.contiguous.default: first,
    aten.detach.default: first,
    aten.detach_.default: first,
    aten.to.dtype: first,
    aten.to.device: first,
    aten.to.dtype_layout: first,
    aten.to.other: first,
    aten.type_as.default: first,
    aten._to_copy.default: first,
}

#: checks that export writes into the program; they compute nothing
CHECKS: frozenset[Any] = frozenset(
    {
        aten._assert_tensor_metadata.default,
        aten._assert_scalar.default,
        aten._assert_async.msg,
        aten.sym_constrain_range_for_size.default,
        aten.sym_constrain_range.default,
    }
)

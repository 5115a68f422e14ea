"""How each op of torch is read: an explicit table, from aten's overloads to functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from pintsize.errors import UnsupportedOp
from pintsize.graph import Op
from pintsize.ops import HardSwish, LeakyRelu, Relu, Relu6, Sigmoid, Tanh
from pintsize.read.draft import Call, Value
from pintsize.read.torch_arithmetic import add, batch_norm, divide, mul, negate, subtract, subtract_from
from pintsize.read.torch_convolutions import convolution, linear
from pintsize.read.torch_pools import (
    adaptive_average_pool,
    adaptive_max_pool,
    average_pool,
    max_pool,
    maximum,
    maximum_with_indices,
    mean,
)
from pintsize.read.torch_shapes import concat, pad, permute, reshape, softmax, transpose

Result = Value | tuple[Value | None, ...]
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
    return _clamp(call, call.arguments["min"], call.arguments.get("max"))


def _clamp(call: Call, low: Any, high: Any) -> Value:
    bounds = (low, high)
    if not isinstance(low, int | float) or low != 0 or high not in (None, 6):
        raise UnsupportedOp(
            f"bounds {bounds}: only (0, 6), which is ReLU6, and (0, none), which is ReLU, are supported"
        )
    return apply(call, Relu() if high is None else Relu6())


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
    aten.linear.default: linear,
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
    aten.pad.default: pad,
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

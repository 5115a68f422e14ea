"""Sums and products of torch, of two tensors or with constants, and batch norm.

A constant per channel, or one for all, is a batch norm with its gain and bias: it folds away like one.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import torch

from pintsize.errors import UnsupportedOp
from pintsize.graph import Op
from pintsize.ops import Add, BatchNorm, Maximum, Minimum, Mul, Prelu, Sub
from pintsize.read.draft import Call, Constant, Value
from pintsize.read.layout import Layout, channels_first


def batch_norm(call: Call) -> Value:
    """aten.batch_norm with the statistics of training."""
    if call.arguments["training"]:
        raise UnsupportedOp(
            "it uses the statistics of the batch: call model.eval() before torch.export.export, "
            "and keep track_running_stats=True"
        )
    x = call.channels_first(call.value("input"))
    channels = x.shape[0]
    gain = call.weights_or("weight", np.ones(channels))
    bias = call.weights_or("bias", np.zeros(channels))
    statistics = [gain, bias, call.weights("running_mean"), call.weights("running_var")]
    op = BatchNorm(float(call.arguments["eps"]))
    return Value(call.emit(op, x.tensor, *map(call.constant, statistics)), x.shape, x.layout)


def add(call: Call) -> Value:
    """aten.add."""
    _refuse_alpha(call)
    x, y = call.arguments["self"], call.arguments["other"]
    if isinstance(x, Value) and isinstance(y, Value):
        return _both(call, Add(), x, y)
    value, constant = (x, y) if isinstance(x, Value) else (y, x)
    if _varies(constant, value):
        return _with_constant(call, Add(), value, constant)
    return _affine(call, value, np.ones(()), _numbers(constant))


def mul(call: Call) -> Value:
    """aten.mul."""
    x, y = call.arguments["self"], call.arguments["other"]
    if isinstance(x, Value) and isinstance(y, Value):
        return _both(call, Mul(), x, y)
    value, constant = (x, y) if isinstance(x, Value) else (y, x)
    if _varies(constant, value):
        return _with_constant(call, Mul(), value, constant)
    return _affine(call, value, _numbers(constant), np.zeros(()))


def subtract(call: Call) -> Value:
    """aten.sub."""
    _refuse_alpha(call)
    x, y = call.arguments["self"], call.arguments["other"]
    if isinstance(x, Value) and isinstance(y, Value):
        return _both(call, Sub(), x, y)
    value, constant = (x, y) if isinstance(x, Value) else (y, x)
    if _varies(constant, value):
        return _with_constant(call, Sub(), value, constant, constant_first=constant is x)
    if isinstance(x, Value):
        return _affine(call, x, np.ones(()), -_numbers(y))
    return _affine(call, y, -np.ones(()), _numbers(x))


def subtract_from(call: Call) -> Value:
    """aten.rsub: constant - x."""
    _refuse_alpha(call)
    x, constant = call.value("self"), call.arguments["other"]
    if _varies(constant, x):
        return _with_constant(call, Sub(), x, constant, constant_first=True)
    return _affine(call, x, -np.ones(()), _numbers(constant))


def divide(call: Call) -> Value:
    """aten.div by a constant."""
    x, y = call.arguments["self"], call.arguments["other"]
    if isinstance(y, Value):
        raise UnsupportedOp("a division by a tensor that depends on the input is not supported")
    divisor = _numbers(y)
    if not np.all(divisor):
        raise UnsupportedOp("it divides by zero")
    if _varies(y, x):
        return _with_constant(
            call, Mul(), x, Constant(f"{call.name}.reciprocal", torch.from_numpy(1.0 / divisor))
        )
    return _affine(call, x, 1.0 / divisor, np.zeros(()))


def negate(call: Call) -> Value:
    """aten.neg."""
    return _affine(call, call.value("self"), -np.ones(()), np.zeros(()))


def extremum(op: Minimum | Maximum) -> Callable[[Call], Value]:
    """The reading function of aten.minimum or aten.maximum."""

    def read(call: Call) -> Value:
        x, y = call.arguments["self"], call.arguments["other"]
        if isinstance(x, Value) and isinstance(y, Value):
            return _both(call, op, x, y)
        value, constant = (x, y) if isinstance(x, Value) else (y, x)
        return _with_constant(call, op, value, constant)

    return read


def bounded(call: Call, low: float | None, high: float | None) -> Value:
    """x between two numbers, of which either may be missing."""
    x = call.value("self")
    for op, bound in ((Maximum(), low), (Minimum(), high)):
        if bound is not None:
            x = _with_constant(call, op, x, bound)
    return x


def prelu(call: Call) -> Value:
    """aten.prelu: one slope, or one per channel."""
    x = call.channels_first(call.value("self"))
    slopes = call.constant(call.weights("weight"))
    return Value(call.emit(Prelu(), x.tensor, slopes), x.shape, x.layout)


def _refuse_alpha(call: Call) -> None:
    if call.arguments["alpha"] != 1:
        raise UnsupportedOp("alpha is not supported: multiply by a constant first")


def _both(call: Call, op: Op, a: Value, b: Value) -> Value:
    """Two tensors in one layout, the larger one first where the order does not matter."""
    layout = a.layout if a.layout is not Layout.PLAIN else b.layout
    if a.rank != b.rank:
        raise UnsupportedOp(f"shapes {a.shape} and {b.shape} must have the same number of axes")
    first, second = (b, a) if prod(b.shape) > prod(a.shape) and not isinstance(op, Sub) else (a, b)
    first, second = call.arranged(first, layout), call.arranged(second, layout)
    shape = np.broadcast_shapes(first.shape, second.shape)
    return Value(call.emit(op, first.tensor, second.tensor), tuple(shape), layout)


def _with_constant(call: Call, op: Op, x: Value, constant: Any, constant_first: bool = False) -> Value:
    """x and a constant that repeats as torch has it."""
    numbers = _numbers(constant)
    if numbers.ndim > x.rank + 1 or (numbers.ndim == x.rank + 1 and len(numbers) != 1):
        raise UnsupportedOp(f"a constant of shape {numbers.shape} does not fit each input of shape {x.shape}")
    inner = numbers.reshape(numbers.shape[1:]) if numbers.ndim == x.rank + 1 else numbers
    whole = inner.reshape((1,) * (x.rank - inner.ndim) + inner.shape)
    data = np.ones(1) * inner if whole.size == 1 else x.layout.arrange(whole[None])[0]
    name = constant.name if isinstance(constant, Constant) else f"{call.name}.{op.name}"
    operand = call.constant((name, data.reshape(-1) if whole.size == 1 else data))
    inputs = (operand, x.tensor) if constant_first else (x.tensor, operand)
    shape = np.broadcast_shapes(x.shape, whole.shape)
    return Value(call.emit(op, *inputs), tuple(shape), x.layout)


def _varies(constant: Any, x: Value) -> bool:
    """Does a constant change along several axes, or another than the channels, so that it is no gain or bias?"""
    if not isinstance(constant, Constant) or constant.data.dim() > x.rank + 1:
        return False
    padded = (1,) * (x.rank + 1 - constant.data.dim()) + tuple(constant.data.shape)
    varying = [axis for axis, extent in enumerate(padded) if extent != 1]
    if len(varying) != 1 or varying == [0]:
        return len(varying) > 1
    last = len(x.layout.graph_shape(x.shape)) - 1
    return varying[0] != 1 and x.layout.graph_axis(varying[0] - 1) != last


def _numbers(constant: Any) -> np.ndarray:
    if isinstance(constant, Constant):
        return constant.data.detach().cpu().double().numpy()
    if isinstance(constant, int | float):
        return np.asarray(constant, np.float64)
    raise UnsupportedOp(
        "the other operand must be a number, a constant tensor, or computed from the model's input"
    )


def _affine(call: Call, x: Value, gain: np.ndarray, bias: np.ndarray) -> Value:
    """x · gain + bias, where each is one number or one per channel."""
    x = _with_axis_last(call, x, _varying_axis(gain if gain.size > 1 else bias, x.rank))
    channels = x.layout.graph_shape(x.shape)[-1]
    if gain.size not in (1, channels) or bias.size not in (1, channels):
        raise UnsupportedOp(
            f"a constant of {max(gain.size, bias.size)} numbers does not fit {channels} channels"
        )
    named = {
        "gain": np.broadcast_to(gain.reshape(-1), channels),
        "bias": np.broadcast_to(bias.reshape(-1), channels),
        "mean": np.zeros(channels),
        "variance": np.ones(channels),
    }
    constants = [call.constant((f"{call.name}.{name}", data)) for name, data in named.items()]
    return Value(call.emit(BatchNorm(epsilon=0.0), x.tensor, *constants), x.shape, x.layout)


def _varying_axis(constant: np.ndarray, rank: int) -> int | None:
    """The axis (batch left out) along which the constant changes. Raises UnsupportedOp for several."""
    if constant.ndim > rank + 1:
        raise UnsupportedOp(f"a constant of shape {constant.shape} has more axes than the tensor")
    padded = (1,) * (rank + 1 - constant.ndim) + constant.shape
    varying = [axis for axis, extent in enumerate(padded) if extent != 1]
    if len(varying) > 1 or varying == [0]:
        raise UnsupportedOp(
            f"a constant of shape {constant.shape}: only one number, or one per channel, is supported"
        )
    return varying[0] - 1 if varying else None


def _with_axis_last(call: Call, x: Value, axis: int | None) -> Value:
    """x in the layout that has this axis of torch's last in the Graph."""
    last = len(x.layout.graph_shape(x.shape)) - 1
    if axis is None or x.layout.graph_axis(axis) == last:
        return x
    if axis == 0 and channels_first(x.rank) is not Layout.PLAIN:
        return call.channels_first(x)
    raise UnsupportedOp("a constant that changes along an axis other than the channels is not supported")

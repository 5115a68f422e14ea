"""ONNX's ops that move, join or rename axes; softmax, which looks along one."""

from __future__ import annotations

from math import prod

import numpy as np

from pintsize.errors import UnsupportedOp
from pintsize.ops import Concat
from pintsize.read import onnx_shifted, torch_shapes
from pintsize.read.draft import Value
from pintsize.read.layout import Layout
from pintsize.read.onnx_arithmetic import constant_operand
from pintsize.read.onnx_call import Known, OnnxCall, axis_of
from pintsize.read.onnx_fold import reshape_target, shape_slice
from pintsize.read.onnx_shifted import Shifted

ONE_BATCH = "the first axis must stay the batch; it is read as 1"


def _reshaped(call: OnnxCall, x: Value, shape: tuple[int, ...]) -> Value:
    """x in ONNX's shape, batch counted."""
    if not shape or shape[0] != 1:
        raise UnsupportedOp(f"it gives the shape {shape}: {ONE_BATCH}")
    return torch_shapes.reshape(call.call(shape[1:], self=x))


def reshape(call: OnnxCall) -> Value:
    """Reshape."""
    x, target = call.value(), call.integers(1) or []
    return _reshaped(call, x, reshape_target(target, (1, *x.shape), bool(call.integer("allowzero", 0))))


def flatten(call: OnnxCall) -> Value:
    """Flatten."""
    x = call.value()
    axis = call.integer("axis", 1)
    axis = axis + x.rank + 1 if axis < 0 else axis
    whole = (1, *x.shape)
    return _reshaped(call, x, (prod(whole[:axis]), prod(whole[axis:])))


def squeeze(call: OnnxCall) -> Value:
    """Squeeze."""
    x, axes = call.value(), call.integers(1, "axes")
    if axes is None:
        raise UnsupportedOp("name the axes to squeeze: without them it takes the batch too")
    named = {axis_of(a, x.rank) for a in axes}
    if any(x.shape[a - 1] != 1 for a in named):
        raise UnsupportedOp(f"axes {axes} of {(1, *x.shape)} are not of length 1")
    return _reshaped(call, x, (1, *(n for i, n in enumerate(x.shape, 1) if i not in named)))


def unsqueeze(call: OnnxCall) -> Value:
    """Unsqueeze."""
    x, axes = call.value(), call.integers(1, "axes") or []
    rank = x.rank + len(axes)
    named = {axis_of(a, rank) for a in axes}
    rest = iter(x.shape)
    shape = tuple(1 if i in named else next(rest, 0) for i in range(1, rank + 1))
    return _reshaped(call, x, (1, *shape))


def transpose(call: OnnxCall) -> Value | Shifted:
    """Transpose."""
    x = call.value()
    order = [int(a) for a in call.attributes.get("perm", range(x.rank, -1, -1))]
    if sorted(order) != list(range(x.rank + 1)):
        raise UnsupportedOp(f"perm={order} is no order of {x.rank + 1} axes")
    if order[0] != 0:
        return onnx_shifted.transpose(call, x)
    shape = tuple(x.shape[a - 1] for a in order[1:])
    return torch_shapes.permute(call.call(shape, self=x, dims=order))


def concat(call: OnnxCall) -> Value:
    """Concat, of tensors and constants."""
    values = [i for i in call.inputs if isinstance(i, Value)]
    work = call.call()
    layout = next((v.layout for v in values if v.layout is not Layout.PLAIN), Layout.PLAIN)
    first = work.arranged(values[0], layout)
    axis = axis_of(call.integer("axis", 1), first.rank)
    tensors = [
        work.arranged(i, layout).tensor if isinstance(i, Value) else constant_operand(call, first, i)
        for i in call.inputs
        if i is not None
    ]
    if len(tensors) == 1:
        return first
    return call.natural(work.emit(Concat(layout.graph_axis(axis - 1)), *tensors), layout)


def softmax(call: OnnxCall) -> Value:
    """Softmax."""
    x = call.value()
    axis = axis_of(call.integer("axis", -1), x.rank)
    return torch_shapes.softmax(call.call(x.shape, self=x, dim=axis))


def log_softmax(call: OnnxCall) -> Value:
    """LogSoftmax."""
    x = call.value()
    axis = axis_of(call.integer("axis", -1), x.rank)
    return torch_shapes.log_softmax(call.call(x.shape, self=x, dim=axis))


def shape(call: OnnxCall) -> Known:
    """Shape: sizes are fixed, the batch is 1."""
    return Known(call.name, shape_slice(call, (1, *call.value().shape)))


def size(call: OnnxCall) -> Known:
    """Size."""
    return Known(call.name, np.array(prod(call.value().shape), np.int64))

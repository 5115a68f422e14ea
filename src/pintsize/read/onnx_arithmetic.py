"""ONNX's sums and products, of two tensors or with constants, and bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pintsize.errors import UnsupportedOp
from pintsize.graph import Op
from pintsize.ops import Add, Maximum, Minimum, Mul, Prelu, Relu, Relu6, Sub
from pintsize.read import torch_arithmetic, torch_shapes
from pintsize.read.draft import Call, Value
from pintsize.read.layout import Layout
from pintsize.read.onnx_call import Known, OnnxCall


def add(call: OnnxCall) -> Value:
    """Add."""
    return _sum_or_product(call, Add(), torch_arithmetic.add)


def multiply(call: OnnxCall) -> Value:
    """Mul."""
    return _sum_or_product(call, Mul(), torch_arithmetic.mul)


def subtract(call: OnnxCall) -> Value:
    """Sub."""
    return _sum_or_product(call, Sub(), torch_arithmetic.subtract)


def _sum_or_product(call: OnnxCall, op: Op, affine: Callable[[Call], Value]) -> Value:
    """Of two tensors, or with constants: as a batch norm, which folds away, where they follow the channels."""
    known = [i for i in call.inputs if isinstance(i, Known)]
    if not known:
        return both(call, op, call.value(0), call.value(1))
    x = call.value(1 if isinstance(call.given(0), Known) else 0)
    if _follows_channels(known[0].data, x):
        return affine(call.call(self=call.given(0), other=call.given(1), alpha=1))
    work = call.call()
    operands = [
        i.tensor if isinstance(i, Value) else constant_operand(call, x, i) for i in call.inputs[:2] if i
    ]
    return call.natural(work.emit(op, *operands), x.layout)


def _follows_channels(data: np.ndarray, x: Value) -> bool:
    """One number, or one per channel. The others would repeat x, or need a move of axes."""
    padded = (1,) * (x.rank + 1 - data.ndim) + data.shape
    varying = [axis for axis, extent in enumerate(padded) if extent != 1]
    if len(varying) > 1 or len(padded) > x.rank + 1:
        return False
    channels = len(x.layout.graph_shape(x.shape)) - 1
    return not varying or (varying[0] > 0 and x.layout.graph_axis(varying[0] - 1) == channels)


def constant_operand(call: OnnxCall, x: Value, given: Known) -> str:
    """A constant in the Graph beside x, in its layout."""
    padded = (1,) * (x.rank + 1 - given.data.ndim) + given.data.shape
    if len(padded) > x.rank + 1 or padded[0] != 1:
        raise UnsupportedOp(
            f"a constant of shape {given.data.shape} has more axes than the tensor, or a batch"
        )
    data = given.data.reshape(padded[1:]).astype(np.float64)
    if x.layout is Layout.IMAGE:
        data = data.transpose(1, 2, 0)
    if x.layout is Layout.SIGNAL:
        data = data.T[np.newaxis]
    return call.call().constant((given.name, data))


def both(call: OnnxCall, op: Op, a: Value, b: Value) -> Value:
    """Two tensors, each repeating where it is smaller, in one layout."""
    rank = max(a.rank, b.rank)
    a, b = (_of_rank(call, v, rank) for v in (a, b))
    layout = a.layout if a.layout is not Layout.PLAIN else b.layout
    work = call.call()
    a, b = work.arranged(a, layout), work.arranged(b, layout)
    return call.natural(work.emit(op, a.tensor, b.tensor), layout)


def _of_rank(call: OnnxCall, value: Value, rank: int) -> Value:
    if value.rank == rank:
        return value
    return torch_shapes.reshape(
        call.named("spread").call((*([1] * (rank - value.rank)), *value.shape), self=value)
    )


def prelu(call: OnnxCall) -> Value:
    """PRelu with constant slopes."""
    x = call.value()
    slopes = constant_operand(call, x, call.known(1))
    return call.natural(call.call().emit(Prelu(), x.tensor, slopes), x.layout)


def divide(call: OnnxCall) -> Value:
    """Div by a constant."""
    if not isinstance(call.given(1), Known):
        raise UnsupportedOp("a division by a tensor that depends on the input is not supported")
    divisor = call.known(1)
    if not np.all(divisor.data):
        raise UnsupportedOp("it divides by zero")
    factor = Known(f"{call.name}.factor", 1.0 / divisor.data.astype(np.float64))
    return multiply(replace(call, inputs=(call.given(0), factor)))


def negate(call: OnnxCall) -> Value:
    """Neg."""
    return torch_arithmetic.negate(call.call(self=call.value()))


def scaled(call: OnnxCall, x: Value, factor: float, offset: float) -> Value:
    """factor · x + offset, as a batch norm, which folds away."""
    if factor != 1.0:
        x = torch_arithmetic.mul(call.named("factor").call(self=x, other=factor))
    return torch_arithmetic.add(call.named("offset").call(self=x, other=offset, alpha=1)) if offset else x


def clip(call: OnnxCall) -> Value:
    """Clip."""
    return clipped(call, call.value(), _bound(call, 1, -np.inf), _bound(call, 2, np.inf))


def minimum(call: OnnxCall) -> Value:
    """Min."""
    return _extreme(call, Minimum(), lambda x, bound: clipped(call, x, -np.inf, bound))


def maximum(call: OnnxCall) -> Value:
    """Max."""
    return _extreme(call, Maximum(), lambda x, bound: clipped(call, x, bound, np.inf))


def _extreme(call: OnnxCall, op: Op, bounded: Callable[[Value, float], Value]) -> Value:
    values = [i for i in call.inputs if isinstance(i, Value)]
    bounds = [i for i in call.inputs if isinstance(i, Known)]
    if len(values) == len(call.inputs) == 2:
        return both(call, op, *values)
    if len(values) != 1 or len(bounds) != 1 or bounds[0].data.size != 1:
        raise UnsupportedOp("two tensors, or one tensor and one number, are supported")
    return bounded(values[0], float(bounds[0].data.reshape(-1)[0]))


def _bound(call: OnnxCall, index: int, default: float) -> float:
    if call.given(index) is None:
        return default
    return float(call.known(index).data.astype(np.float64).reshape(-1)[0])


#: ONNX writes "no bound" also as the largest float32
UNBOUNDED = 3.4e38


def clipped(call: OnnxCall, x: Value, low: float, high: float) -> Value:
    """min(max(x, low), high), by ReLU and ReLU6 of a shifted x where it is neither itself."""
    no_low, no_high = low <= -UNBOUNDED, high >= UNBOUNDED
    if no_low and no_high:
        return x
    if not low < high:
        raise UnsupportedOp(f"bounds ({low}, {high}) leave nothing between them")
    work = call.call()
    if low == 0.0 and (no_high or high == 6.0):
        op = Relu() if no_high else Relu6()
        return Value(work.emit(op, x.tensor), x.shape, x.layout)
    if call.bounds is not None:
        call.bounds[x.tensor] = low, high
        return x
    if no_high:
        shifted = scaled(call.named("shifted"), x, 1.0, -low)
        return scaled(call, Value(work.emit(Relu(), shifted.tensor), shifted.shape, shifted.layout), 1.0, low)
    if no_low:
        shifted = scaled(call.named("shifted"), x, -1.0, high)
        return scaled(
            call, Value(work.emit(Relu(), shifted.tensor), shifted.shape, shifted.layout), -1.0, high
        )
    factor = 6.0 / (high - low)
    shifted = scaled(call.named("shifted"), x, factor, -low * factor)
    return scaled(
        call, Value(work.emit(Relu6(), shifted.tensor), shifted.shape, shifted.layout), 1.0 / factor, low
    )

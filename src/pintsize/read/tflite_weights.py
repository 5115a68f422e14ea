"""A layer's weight and bias as the Graph keeps them: codes around zero, always a bias, accumulators of 30 bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pintsize.arithmetic import Bounds, divide_by_power, high_multiply, quantize_multiplier
from pintsize.errors import ModelError, UnsupportedOp
from pintsize.graph import TensorType
from pintsize.read.tflite_activation import activation_of
from pintsize.read.tflite_draft import Call, activation_type
from pintsize.spec import ACCUMULATOR_MAX

#: a channel of weight scale 0 computes nothing but its output's zero point
DEAD_SCALE = 2.0**-30
#: a constant channel's bias is its code, this many bits up
CONSTANT_BITS = 10
NARROW = 7


@dataclass(frozen=True)
class Channels:
    """How many outputs a layer has, and along which axis the file's weight and the Graph's keep them.

    bias: the operator's input that it is.
    """

    outputs: int
    flat_axis: int
    axis: int
    bias: int = 2


def constants(call: Call, x: str, numbers: np.ndarray, where: Channels) -> tuple[str, str]:
    """Names of the weight and bias in the Graph. numbers: of the weight, axes as the Graph has them."""
    bias = call.numbers(where.bias) if call.has(where.bias) else None
    if bias is not None and bias.size != where.outputs:
        raise ModelError(f"{call.place}: {bias.size} biases for {where.outputs} outputs")
    if call.draft.type(x).dtype == "float32":
        return _float_constants(call, numbers, bias, where.outputs)
    if call.flat(1).dtype not in ("INT8", "INT4"):
        raise ModelError(f"{call.place}: {call.flat(1).dtype} weights on integers; INT8 and INT4 are read")
    bias = np.zeros(where.outputs, np.int32) if bias is None else bias
    if bias.dtype.kind != "i":
        raise ModelError(f"{call.place}: its bias must hold whole numbers, not {bias.dtype}")
    codes, scales = _symmetric(call, numbers, where)
    codes, biases, scales = _without_dead(codes, bias.reshape(-1).astype(np.int64), scales, where.axis)
    if call.draft.type(x).dtype == "int16":
        _require_wide_bias(call, bias)
    else:
        codes, biases, scales = _without_wide(call, x, codes, biases, scales, where.axis)
    return _stored(call, x, codes, biases, scales, where.axis)


def _stored(
    call: Call, x: str, codes: np.ndarray, biases: np.ndarray, scales: np.ndarray, axis: int
) -> tuple[str, str]:
    grid = (scales.astype(np.float64) * call.draft.type(x).scale[0]).astype(np.float32)
    if not (grid > 0).all():
        raise ModelError(f"{call.place}: weight scale times input scale vanishes in float32")
    narrow = call.flat(1).dtype == "INT4" and np.abs(codes).max(initial=0) <= NARROW
    kind = TensorType(codes.shape, "int4" if narrow else "int8", tuple(scales.tolist()), 0, axis)
    bias_kind = TensorType(biases.shape, "int32", tuple(grid.tolist()), 0, 0)
    name = call.flat(1).name
    return (
        call.draft.constant(name, codes, kind),
        call.draft.constant(f"{name.partition(';')[0]}.bias", biases.astype(np.int32), bias_kind),
    )


def _symmetric(call: Call, numbers: np.ndarray, where: Channels) -> tuple[np.ndarray, np.ndarray]:
    """Codes around zero and their scales: one, or one per output."""
    weight = call.flat(1)
    scales = weight.scales.astype(np.float32)
    if len(scales) not in (1, where.outputs) or (len(scales) > 1 and weight.axis != where.flat_axis):
        raise ModelError(
            f"{call.place}: {len(scales)} weight scales along axis {weight.axis} for {where.outputs} outputs"
        )
    shape = [1] * numbers.ndim
    shape[where.axis] = -1
    codes = numbers.astype(np.int64) - weight.zero_points.reshape(
        shape if len(weight.zero_points) > 1 else -1
    )
    if np.abs(codes).max(initial=0) > 127:
        raise UnsupportedOp("weights beyond ±127 around their zero point; symmetric weights are read")
    return codes.astype(np.int8), scales


def _without_dead(
    codes: np.ndarray, bias: np.ndarray, scales: np.ndarray, axis: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What TFLite Micro's factor of 0 makes of a channel with the scale 0, said with a scale that is positive."""
    dead = np.broadcast_to(scales == 0, bias.shape)
    if not dead.any():
        return codes, bias, scales
    shape = [1] * codes.ndim
    shape[axis] = -1
    codes = np.where(dead.reshape(shape), 0, codes).astype(np.int8)
    return codes, np.where(dead, 0, bias), np.where(scales == 0, np.float32(DEAD_SCALE), scales)


def _without_wide(
    call: Call, x: str, codes: np.ndarray, bias: np.ndarray, scales: np.ndarray, axis: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Channels whose accumulator may pass 30 bits but whose output never moves, said in fewer bits.

    Quantizers give a channel without weights a tiny scale, hence a huge bias. The output grows with the accumulator;
    where both its ends give one code, a bias on a coarser grid gives that code too. Raises ModelError for others.
    """
    grid, out = call.draft.type(x), activation_type(call.flat_output(), ())
    others = tuple(i for i in range(codes.ndim) if i != axis)
    reach = np.abs(codes.astype(np.int64)).sum(others) * max(127 - grid.zero_point, 128 + grid.zero_point)
    wide = np.abs(bias) + reach >= ACCUMULATOR_MAX
    if not wide.any():
        return codes, bias, scales
    scales = np.broadcast_to(scales, bias.shape)
    bounds = Bounds.of(out.scale[0], out.zero_point, activation=activation_of(call))
    multiplier, exponent = quantize_multiplier(scales[wide].astype(np.float64) * grid.scale[0] / out.scale[0])
    low, high = (
        divide_by_power(high_multiply(end[wide], multiplier), (-exponent).clip(min=0))
        for end in (bias - reach, bias + reach)
    )
    low, high = ((end + out.zero_point).clip(bounds.low, bounds.high) for end in (low, high))
    if (np.abs(bias) + reach >= 2**31).any() or (exponent > 0).any() or (low != high).any():
        raise ModelError(f"{call.place}: a bias is so large that the accumulator may pass 30 bits")
    shape = [1] * codes.ndim
    shape[axis] = -1
    constant, coarser = bias.copy(), scales.copy()
    constant[wide] = (low - out.zero_point) << CONSTANT_BITS
    coarser[wide] = np.float32(out.scale[0] / grid.scale[0] / (1 << CONSTANT_BITS))
    return np.where(wide.reshape(shape), 0, codes).astype(np.int8), constant, coarser


def _require_wide_bias(call: Call, bias: np.ndarray) -> None:
    """TFLite Micro rounds once, as the Graph's ops do, only where the bias has 64 bits."""
    if bias.itemsize != 8:
        raise UnsupportedOp("int16 activations with a bias of 32 bits or none; one of 64 bits is read")
    if np.abs(bias).max(initial=0) >= 2**31:
        raise UnsupportedOp("a bias beyond 32 bits")


def _float_constants(
    call: Call, numbers: np.ndarray, bias: np.ndarray | None, outputs: int
) -> tuple[str, str]:
    weight = call.flat(1)
    if numbers.dtype.kind != "f":
        raise UnsupportedOp(
            f"{weight.dtype} weights on real numbers (a hybrid model); quantize all of it, or nothing"
        )
    data = numbers.astype(np.float32)
    bias = np.zeros(outputs, np.float32) if bias is None else bias.reshape(-1).astype(np.float32)
    return (
        call.draft.constant(weight.name, data, TensorType(data.shape)),
        call.draft.constant(f"{weight.name.partition(';')[0]}.bias", bias, TensorType(bias.shape)),
    )

"""What ONNX nodes compute that do not depend on the model's input: shapes of reshapes, mostly.

Each function takes arrays and attributes; what it would make is measured before it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from pintsize.errors import UnsupportedOp
from pintsize.read.onnx_call import Known, OnnxCall, WeightGrid
from pintsize.read.onnx_file import ELEMENTS_MAX, TYPES

Arrays = Sequence[np.ndarray]
Fold = Callable[[OnnxCall, Arrays], np.ndarray]
#: these move numbers, so a weight stays on its grid
MOVES = frozenset({"Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"})


def fold(call: OnnxCall) -> Known:
    """The node's output. Raises UnsupportedOp where it is too large or of an op that is not computed here."""
    work = FOLDS.get(call.op)
    if work is None:
        raise UnsupportedOp("it works on constants alone: let an ONNX optimizer compute it once and for all")
    arrays = [i.data for i in call.inputs if isinstance(i, Known)]
    result = np.asarray(work(call, arrays))
    _check_size(result.shape)
    return Known(call.name, result, _moved(call, result.shape) if call.op in MOVES else None)


def _moved(call: OnnxCall, shape: tuple[int, ...]) -> WeightGrid | None:
    """The codes moved like the numbers; only whole transposes and reshapes reach here."""
    first = call.given(0)
    if not isinstance(first, Known) or first.grid is None:
        return None
    codes = FOLDS[call.op](
        call, [first.grid.codes, *(i.data for i in call.inputs[1:] if isinstance(i, Known))]
    )
    return WeightGrid(np.asarray(codes).reshape(shape), first.grid.scale)


def _check_size(shape: Sequence[int]) -> None:
    if any(n < 0 for n in shape) or prod(shape) > ELEMENTS_MAX:
        raise UnsupportedOp(f"it makes a constant of shape {tuple(shape)[:8]}: too large")


def _elementwise(function: Callable[..., Any]) -> Fold:
    def work(call: OnnxCall, arrays: Arrays) -> np.ndarray:
        _check_size(np.broadcast_shapes(*(a.shape for a in arrays)))
        return function(*arrays)

    return work


def _divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if not np.issubdtype(a.dtype, np.integer):
        return a / b
    if not np.all(b):
        raise UnsupportedOp("it divides by zero")
    quotient = np.abs(a) // np.abs(b)  # towards zero, as ONNX has it
    return (quotient * (np.sign(a) * np.sign(b))).astype(a.dtype)


def _cast(call: OnnxCall, arrays: Arrays) -> np.ndarray:
    kind = call.integer("to", 1)
    if kind not in TYPES:
        raise UnsupportedOp(f"it casts to ONNX's data type {kind}, which is not read")
    return arrays[0].astype(TYPES[kind][0])


def _axes(call: OnnxCall, arrays: Arrays) -> tuple[int, ...]:
    return tuple(int(a) for a in arrays[1].reshape(-1)) if len(arrays) > 1 else ()


def _squeeze(call: OnnxCall, arrays: Arrays) -> np.ndarray:
    return np.squeeze(arrays[0], _axes(call, arrays) if len(arrays) > 1 else None)


def _slice(call: OnnxCall, arrays: Arrays) -> np.ndarray:
    data, starts, ends = arrays[:3]
    axes = arrays[3].reshape(-1) if len(arrays) > 3 else np.arange(starts.size)
    steps = arrays[4].reshape(-1) if len(arrays) > 4 else np.ones(starts.size, np.int64)
    index = [slice(None)] * data.ndim
    for axis, start, end, step in zip(axes, starts.reshape(-1), ends.reshape(-1), steps, strict=True):
        index[int(axis)] = _range_of(int(start), int(end), int(step), data.shape[int(axis)])
    return data[tuple(index)]


def _range_of(start: int, end: int, step: int, extent: int) -> slice:
    if step < 0 and end < -extent:
        return slice(start, None, step)
    return slice(start, end, step)


def _constant_of_shape(call: OnnxCall, arrays: Arrays) -> np.ndarray:
    shape = [int(n) for n in arrays[0].reshape(-1)]
    _check_size(shape)
    value = np.asarray(call.attributes.get("value", np.zeros(1, np.float32)))
    return np.full(shape, value.reshape(-1)[0], value.dtype)


def _range(call: OnnxCall, arrays: Arrays) -> np.ndarray:
    start, limit, delta = (a.reshape(-1)[0] for a in arrays)
    if not delta or not np.isfinite([float(a) for a in (start, limit, delta)]).all():
        raise UnsupportedOp("its step is zero, or its bounds are not finite")
    count = max(0, int(np.ceil((float(limit) - float(start)) / float(delta))))
    _check_size((count,))
    return start + delta * np.arange(count, dtype=arrays[0].dtype)


def _expand(call: OnnxCall, arrays: Arrays) -> np.ndarray:
    shape = np.broadcast_shapes(arrays[0].shape, tuple(int(n) for n in arrays[1].reshape(-1)))
    _check_size(shape)
    return np.broadcast_to(arrays[0], shape).copy()


def _tile(call: OnnxCall, arrays: Arrays) -> np.ndarray:
    repeats = [int(n) for n in arrays[1].reshape(-1)]
    _check_size([n * r for n, r in zip(arrays[0].shape, repeats, strict=True)])
    return np.tile(arrays[0], repeats)


def reshape_target(target: Sequence[int], before: Sequence[int], zero_is_zero: bool) -> tuple[int, ...]:
    """ONNX's Reshape: 0 copies, one -1 is inferred. Raises ValueError where it does not fit."""
    if len(target) > 8:
        raise ValueError(f"a shape of {len(target)} axes is not supported")
    shape = [before[i] if n == 0 and not zero_is_zero else n for i, n in enumerate(target)]
    if shape.count(-1) == 1:
        rest = prod(n for n in shape if n != -1)
        shape[shape.index(-1)] = prod(before) // rest if rest else 0
    if any(n < 0 for n in shape) or prod(shape) != prod(before):
        raise ValueError(f"shape {tuple(before)} does not become {tuple(target)}")
    return tuple(shape)


def _reshape(call: OnnxCall, arrays: Arrays) -> np.ndarray:
    target = [int(n) for n in arrays[1].reshape(-1)]
    return arrays[0].reshape(reshape_target(target, arrays[0].shape, bool(call.integer("allowzero", 0))))


def _flatten(call: OnnxCall, arrays: Arrays) -> np.ndarray:
    shape = arrays[0].shape
    axis = call.integer("axis", 1)
    axis = axis + len(shape) if axis < 0 else axis
    return arrays[0].reshape(prod(shape[:axis]), prod(shape[axis:]))


def _transpose(call: OnnxCall, arrays: Arrays) -> np.ndarray:
    order = call.attributes.get("perm") or range(arrays[0].ndim)[::-1]
    return arrays[0].transpose([int(a) for a in order])


def _gather(call: OnnxCall, arrays: Arrays) -> np.ndarray:
    data, indices = arrays
    axis = call.integer("axis", 0)
    _check_size((data.size // max(1, data.shape[axis]) * indices.size,))
    return np.take(data, indices.astype(np.int64), axis)


def _reduce_product(call: OnnxCall, arrays: Arrays) -> np.ndarray:
    return np.prod(arrays[0], keepdims=bool(call.integer("keepdims", 1)))


def _shape(call: OnnxCall, arrays: Arrays) -> np.ndarray:
    return shape_slice(call, arrays[0].shape)


def shape_slice(call: OnnxCall, shape: tuple[int, ...]) -> np.ndarray:
    """What a Shape node says of this shape, between its `start` and `end`."""
    end = call.attributes.get("end")
    return np.array(shape[call.integer("start", 0) : None if end is None else int(end)], np.int64)


FOLDS: dict[str, Fold] = {
    "Abs": _elementwise(np.abs),
    "Add": _elementwise(np.add),
    "And": _elementwise(np.logical_and),
    "Cast": _cast,
    "Ceil": _elementwise(np.ceil),
    "Concat": lambda call, arrays: np.concatenate(arrays, call.integer("axis", 0)),
    "ConstantOfShape": _constant_of_shape,
    "Div": _elementwise(_divide),
    "Equal": _elementwise(np.equal),
    "Expand": _expand,
    "Flatten": _flatten,
    "Floor": _elementwise(np.floor),
    "Gather": _gather,
    "Greater": _elementwise(np.greater),
    "Identity": lambda call, arrays: arrays[0],
    "Less": _elementwise(np.less),
    "Max": _elementwise(lambda *a: np.stack(np.broadcast_arrays(*a)).max(0)),
    "Min": _elementwise(lambda *a: np.stack(np.broadcast_arrays(*a)).min(0)),
    "Mul": _elementwise(np.multiply),
    "Neg": _elementwise(np.negative),
    "Not": _elementwise(np.logical_not),
    "Pow": _elementwise(np.power),
    "Range": _range,
    "Reciprocal": _elementwise(lambda a: 1 / a),
    "ReduceProd": _reduce_product,
    "Reshape": _reshape,
    "Shape": _shape,
    "Size": lambda call, arrays: np.array(arrays[0].size, np.int64),
    "Slice": _slice,
    "Sqrt": _elementwise(np.sqrt),
    "Squeeze": _squeeze,
    "Sub": _elementwise(np.subtract),
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": lambda call, arrays: np.expand_dims(arrays[0], _axes(call, arrays)),
    "Where": _elementwise(np.where),
}

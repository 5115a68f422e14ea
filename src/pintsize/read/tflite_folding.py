"""Operators on numbers known while reading: what works out a shape, for the most part. They leave no node."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from pintsize.errors import ModelError
from pintsize.read.tflite_draft import Call
from pintsize.read.tflite_parts import strided_ranges

ELEMENTS_MAX = 64
WHOLE = ("INT32", "INT64")
INT32 = range(-(2**31), 2**31)


def folds(call: Call) -> bool:
    """Works the operator out where all that it needs is known; False where it is to be read as an op."""
    work = FOLDS.get(call.operator.code)
    present = [i for i in range(len(call.operator.inputs)) if call.has(i)]
    if work is None or not 0 < len(present) <= ELEMENTS_MAX or len(call.operator.outputs) != 1:
        return False
    if call.operator.code == "CAST" and call.flat_output().dtype not in WHOLE:
        return False
    if call.operator.code != "SHAPE" and not all(_is_small(call, i) for i in present):
        return False
    try:
        found = np.asarray(work(call))
    except (ValueError, IndexError) as error:
        raise ModelError(f"{call.place}: {error}") from error
    if found.size > ELEMENTS_MAX or (
        found.size and not (int(found.min()) in INT32 and int(found.max()) in INT32)
    ):
        raise ModelError(f"{call.place} works out numbers that are too many or too large for a shape")
    call.draft.folded[call.flat_output().index] = found
    call.draft.shapes[call.flat_output().index] = found.shape
    return True


def _is_small(call: Call, position: int) -> bool:
    """Is the input a few whole numbers that are known?"""
    if not call.is_constant(position):
        return False
    numbers = call.numbers(position)
    return numbers.dtype.kind == "i" and numbers.size <= ELEMENTS_MAX and call.flat(position).dtype in WHOLE


def _numbers(call: Call, position: int = 0) -> np.ndarray:
    return call.numbers(position).astype(np.int64)


def _shape(call: Call) -> np.ndarray:
    return np.array(call.full_shape(), np.int64)


def _strided_slice(call: Call) -> np.ndarray:
    ranges, after = strided_ranges(call)
    return _numbers(call)[np.ix_(*ranges)].reshape(after)


def _pack(call: Call) -> np.ndarray:
    parts = [_numbers(call, i) for i in range(len(call.operator.inputs))]
    return np.stack(parts, call.one_axis(call.option("Axis"), parts[0].ndim + 1))


def _concatenation(call: Call) -> np.ndarray:
    parts = [_numbers(call, i) for i in range(len(call.operator.inputs))]
    return np.concatenate(parts, call.one_axis(call.option("Axis"), parts[0].ndim))


def _gather(call: Call) -> np.ndarray:
    axis = call.one_axis(call.option("Axis"), _numbers(call).ndim)
    return np.take(_numbers(call), _numbers(call, 1), axis)


def _product(call: Call) -> np.ndarray:
    return _exact(call, prod(_numbers(call).reshape(-1).tolist()))


def _mul(call: Call) -> np.ndarray:
    return _numbers(call) * _numbers(call, 1)


def _exact(call: Call, number: int) -> np.ndarray:
    if int(number) not in INT32:
        raise ModelError(f"{call.place} works out a number that is too large for a shape")
    return np.array(int(number), np.int64)


FOLDS: dict[str, Callable[[Call], np.ndarray]] = {
    "ADD": lambda call: _numbers(call) + _numbers(call, 1),
    "CAST": _numbers,
    "CONCATENATION": _concatenation,
    "EXPAND_DIMS": lambda call: _numbers(call).reshape(1, *_numbers(call).shape),
    "GATHER": _gather,
    "MUL": _mul,
    "PACK": _pack,
    "REDUCE_PROD": _product,
    "RESHAPE": lambda call: _numbers(call).reshape(call.whole_numbers(1)),
    "SHAPE": _shape,
    "SQUEEZE": lambda call: _numbers(call).reshape(-1),
    "STRIDED_SLICE": _strided_slice,
    "SUB": lambda call: _numbers(call) - _numbers(call, 1),
}

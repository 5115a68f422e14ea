"""Operators that go from one number format to another: CAST, QUANTIZE, DEQUANTIZE.

A Graph computes on codes all the way, or on real numbers. Real numbers between codes are never there: what a
DEQUANTIZE or a CAST makes of codes is the same tensor to the Graph, and a QUANTIZE behind it brings it to another grid.
"""

from __future__ import annotations

import numpy as np

from pintsize.arithmetic import CODES, Grid, Quantized
from pintsize.deferred import torch
from pintsize.errors import ModelError, UnsupportedOp
from pintsize.graph import TensorType
from pintsize.ops import Requantize
from pintsize.read.tflite_draft import Call, activation_type
from pintsize.read.tflite_file import NUMPY_TYPES

CODED = ("INT8", "INT16")
REAL = ("FLOAT16", "FLOAT32", "FLOAT64")
INDICES = ("INT32", "INT64")
#: what may read real numbers that are codes to the Graph
CONVERSIONS = frozenset({"CAST", "QUANTIZE"})
#: real numbers that are whole numbers of the codes' own size
WHOLE_NUMBERS = (1.0, 0)


def quantize(call: Call) -> None:
    """At the input: the Graph begins behind it. Of codes: another grid."""
    x, before, after = call.activation(), call.flat(0), call.flat_output()
    if before.index in call.draft.border:
        _stands_for(call, x)
        return
    if after.dtype not in CODED or not call.draft.type(x).is_quantized:
        raise UnsupportedOp(f"from {before.dtype} to {after.dtype} inside the model; INT8 and INT16 are read")
    if before.dtype in CODED:
        call.emit(Requantize(), x)
        return
    kind, out = call.draft.type(x), activation_type(after, ())
    if _grid(kind) == _grid(out) and not _ends(call):
        _stands_for(call, x)
        return
    call.emit(_as_through_real_numbers(kind, out), x)


def _grid(kind: TensorType) -> tuple[str, tuple[float, ...], int]:
    return kind.dtype, kind.scale, kind.zero_point


def _as_through_real_numbers(kind: TensorType, out: TensorType) -> Requantize:
    """The op that gives the codes of a DEQUANTIZE and a QUANTIZE.

    Raises UnsupportedOp where it does not for all codes.
    """
    once = kind.dtype == out.dtype == "int8"
    op = Requantize(once)
    low, high = CODES[kind.code_bits]
    codes = torch.arange(low, high + 1, dtype=torch.float32)
    grid = Grid.of(torch.tensor(out.scale[0]), out.zero_point, out.code_bits)
    given = Quantized(codes, torch.tensor(kind.scale[0]), kind.zero_point, kind.code_bits)
    found = op.integer_meaning([given], grid)
    wanted = Requantize.through_real_numbers(codes.numpy(), kind.scale[0], kind.zero_point, grid)
    differing = int((found != wanted).sum())
    if differing:
        raise UnsupportedOp(
            f"real numbers between {kind.dtype} and {out.dtype} codes: {differing} of {len(codes)} come out otherwise "
            "than by integer arithmetic; quantize the codes themselves"
        )
    return op


def dequantize(call: Call) -> None:
    """At the output: the Graph ends before it. Of weights: the numbers themselves. Before a QUANTIZE: nothing."""
    if call.is_constant(0):
        call.draft.folded[call.flat_output().index] = real_numbers(call)
        return
    x = call.activation()
    if not _ends(call):
        _require_conversions(call)
    _stands_for(call, x)


def real_numbers(call: Call) -> np.ndarray:
    """A constant's codes as float32."""
    tensor, codes = call.flat(0), call.numbers(0)
    if codes.dtype.kind == "f" or not len(tensor.scales):
        return codes.astype(np.float32)
    shape = [1] * codes.ndim
    if len(tensor.scales) > 1:
        shape[tensor.axis] = -1
    zero_points = np.broadcast_to(tensor.zero_points, tensor.scales.shape)
    steps = codes.astype(np.float32) - zero_points.astype(np.float32).reshape(shape)
    return steps * tensor.scales.astype(np.float32).reshape(shape)


def cast(call: Call) -> None:
    """The same numbers in another format, where the Graph has them.

    At the input or output: the Graph begins behind it, or ends before it.
    """
    if call.is_constant(0):
        call.draft.folded[call.flat_output().index] = _cast_numbers(call)
        return
    x, before, after = call.activation(), call.flat(0), call.flat_output()
    kind = call.draft.type(x)
    if before.index in call.draft.border or _ends(call):
        _stands_for(call, x)
    elif not kind.is_quantized:
        _cast_real(call, x)
    elif before.dtype in CODED and after.dtype in CODED:
        _cast_codes(call, x)
    elif before.dtype in (*REAL, *INDICES) and after.dtype in CODED:
        _cast_whole_numbers(call, x)
    elif after.dtype in (*REAL, *INDICES):
        _cast_to_numbers(call, x)
    else:
        raise UnsupportedOp(f"from {before.dtype} to {after.dtype} inside the model")


def _cast_numbers(call: Call) -> np.ndarray:
    """A constant in another format, cut off towards zero where that holds whole numbers."""
    numbers, wanted = call.numbers(0), call.flat_output().dtype
    if wanted not in NUMPY_TYPES or wanted == "BOOL":
        raise UnsupportedOp(f"a constant to {wanted}")
    dtype = np.dtype(NUMPY_TYPES[wanted])
    if dtype.kind != "f":
        ends = np.iinfo(dtype)
        whole = np.trunc(numbers.astype(np.float64))
        if not np.all((whole >= ends.min) & (whole <= ends.max)):
            raise ModelError(f"{call.place}: its constant holds numbers that {wanted} does not")
    return numbers.astype(dtype)


def _cast_real(call: Call, x: str) -> None:
    """In a model of real numbers: between their formats, and of an index."""
    before, after = call.flat(0).dtype, call.flat_output().dtype
    if before not in (*REAL, *INDICES) or after not in (*REAL, *INDICES):
        raise UnsupportedOp(f"from {before} to {after} inside the model")
    if before in REAL and after in INDICES:
        raise UnsupportedOp(f"from {before} to {after}: it cuts off what is behind the point")
    _stands_for(call, x)


def _cast_codes(call: Call, x: str) -> None:
    """Codes as they are: on the same grid, or in 16 bits for 8."""
    kind, out = call.draft.type(x), activation_type(call.flat_output(), ())
    if _grid(kind) == _grid(out):
        _stands_for(call, x)
        return
    wider = (kind.dtype, out.dtype) == ("int8", "int16")
    if not wider or _grid(kind)[1:] != _grid(out)[1:]:
        raise UnsupportedOp(
            f"from codes of {_told(kind)} to codes of {_told(out)}: it keeps codes, which is read from int8 to int8 or "
            "int16 where scale and zero point are kept too"
        )
    call.emit(Requantize(), x)


def _cast_to_numbers(call: Call, x: str) -> None:
    """Codes as the numbers that they are."""
    kind, before, after = call.draft.type(x), call.flat(0).dtype, call.flat_output().dtype
    if before in CODED and (kind.scale[0], kind.zero_point) != WHOLE_NUMBERS:
        raise UnsupportedOp(
            f"codes of {_told(kind)} as numbers: it leaves both out, which is read where they are 1 and 0; "
            "a DEQUANTIZE reckons with them"
        )
    if before in REAL and after in INDICES and kind.scale[0] != 1:
        raise UnsupportedOp(f"from {before} to {after}: it cuts off what is behind the point")
    _require_conversions(call)
    _stands_for(call, x)


def _cast_whole_numbers(call: Call, x: str) -> None:
    """Whole numbers as codes of the scale 1: where these hold them all."""
    kind, out = call.draft.type(x), activation_type(call.flat_output(), ())
    ends = [end - kind.zero_point for end in CODES[kind.code_bits]]
    low, high = CODES[out.code_bits]
    fits = low <= ends[0] and ends[1] <= high
    if kind.scale[0] != 1 or (out.scale[0], out.zero_point) != WHOLE_NUMBERS or not fits:
        raise UnsupportedOp(
            f"numbers of {_told(kind)} to codes of {_told(out)}: it cuts off and wraps; a QUANTIZE rounds and saturates"
        )
    if _grid(kind) == _grid(out):
        _stands_for(call, x)
        return
    call.emit(Requantize(), x)


def _told(kind: TensorType) -> str:
    return f"{kind.dtype}, scale {kind.scale[0]}, zero point {kind.zero_point}"


def _ends(call: Call) -> bool:
    return call.flat_output().index in call.draft.model.outputs


def _require_conversions(call: Call) -> None:
    """Raises UnsupportedOp where real numbers made of codes are computed with."""
    others = sorted(call.draft.readers.get(call.flat_output().index, set()) - CONVERSIONS)
    if others:
        raise UnsupportedOp(
            f"inside the model, before {', '.join(others)}: a Graph computes on codes or on real numbers, not on both"
        )


def _stands_for(call: Call, x: str) -> None:
    """The output is the Graph's tensor `x` in another format."""
    tensor, full = call.flat_output(), call.full_shape()
    if not tensor.is_dynamic and tensor.shape != full and (tensor.shape, full) != ((), (1,)):
        raise ModelError(f"{call.place} makes {full}; the file says {tensor.shape}")
    call.draft.names[tensor.index], call.draft.shapes[tensor.index] = x, full

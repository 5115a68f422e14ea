"""UNIDIRECTIONAL_SEQUENCE_LSTM (eight weights and four biases, gate by gate, and two states) and SVDF.

The file's states go on from call to call; the Graph's begin at zero with every input, as they do in training. SVDF
takes one step a call: the Graph computes what the first call after a reset does.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

import numpy as np

from pintsize.arithmetic import SHIFTED_MAX
from pintsize.errors import ModelError, UnsupportedOp
from pintsize.gates import INT16_MAX
from pintsize.graph import TensorType
from pintsize.ops import Lstm, Svdf
from pintsize.read.tflite_activation import activation_of
from pintsize.read.tflite_draft import Call, activation_type

GATES = 4
WEIGHTS, RECURRENT, PEEPHOLE, BIASES, PROJECTION, OUTPUT_STATE, CELL_STATE, NORM = 1, 5, 9, 12, 16, 18, 19, 20
INPUTS_MAX = 24
TANH = 4
#: inputs of SVDF
FEATURE, TIME, BIAS, MEMORY = 1, 2, 3, 4


def lstm(call: Call) -> None:
    _refuse_variants(call)
    x, full = call.activation(), call.full_shape()
    steps_first = bool(call.option("TimeMajor"))
    if len(full) != 3 or full[1 if steps_first else 0] != 1:
        raise UnsupportedOp(f"an input {full}; one sequence (1, steps, channels) is read")
    steps, channels = (full[0], full[2]) if steps_first else full[1:]
    sequence = call.reshaped(x, (steps, channels))
    weights, recurrent, biases = (_constant(call, x, first) for first in (WEIGHTS, RECURRENT, BIASES))
    op = (
        Lstm(_cell_exponent(call), float(call.option("CellClip")))
        if call.draft.type(x).is_quantized
        else Lstm(cell_clip=float(call.option("CellClip")))
    )
    hidden = call.draft.type(recurrent).shape[0]
    call.emit(op, sequence, weights, recurrent, biases, full=(*full[:2], hidden))


def _refuse_variants(call: Call) -> None:
    left_out = {"peepholes": PEEPHOLE, "a projection": PROJECTION}
    found = [name for name, first in left_out.items() if any(call.has(i) for i in range(first, first + 2))]
    found += ["peepholes"] if call.has(PEEPHOLE + 2) else []
    found += ["layer norms"] if any(call.has(i) for i in range(NORM, INPUTS_MAX)) else []
    found += [] if call.has(WEIGHTS) else ["coupled input and forget gates"]
    if found:
        raise UnsupportedOp(f"an LSTM with {', '.join(found)}; a plain one is read")
    if call.option("FusedActivationFunction") != TANH:
        raise UnsupportedOp("an LSTM with another activation than TANH")


def _constant(call: Call, x: str, first: int) -> str:
    """The constants of all gates as one, the gates along its second axis."""
    parts = [call.numbers(i) for i in range(first, first + GATES)]
    if any(p.shape != parts[0].shape for p in parts) or parts[0].ndim != (1 if first == BIASES else 2):
        raise ModelError(f"{call.place}: the gates' constants have shapes {[p.shape for p in parts]}")
    data, name = np.stack(parts, 1), f"{call.flat(first).name.partition(';')[0]}.gates"
    if not call.draft.type(x).is_quantized:
        if data.dtype.kind != "f":
            raise UnsupportedOp(
                "integer weights on real numbers (a hybrid model); quantize all of it, or nothing"
            )
        return call.draft.constant(name, data.astype(np.float32), TensorType(data.shape))
    if data.dtype.kind != "i":
        raise ModelError(f"{call.place}: {data.dtype} constants on integers")
    if first == BIASES:
        _require_bias_width(data, 64 if call.draft.type(x).dtype == "int16" else 32)
        grid = tuple(float(np.float32(s * call.draft.type(x).scale[0])) for s in _scales(call, WEIGHTS))
        return call.draft.constant(name, data.astype(np.int32), TensorType(data.shape, "int32", grid, 0, 1))
    if data.itemsize != 1 or np.abs(data.astype(np.int64)).max(initial=0) > 127:
        raise UnsupportedOp("weights other than 8-bit ones within ±127")
    return call.draft.constant(name, data, TensorType(data.shape, "int8", _scales(call, first), 0, 1))


def _require_bias_width(bias: np.ndarray, bits: int) -> None:
    """Of an integer LSTM: what TFLite Micro takes its bytes for. The Graph keeps 32 bits."""
    if 8 * bias.itemsize != bits:
        raise UnsupportedOp(
            f"biases of {8 * bias.itemsize} bits; {bits}-bit ones are read with such activations"
        )
    if np.abs(bias).max(initial=0) >= 2**31:
        raise UnsupportedOp("a bias beyond 32 bits")


def _scales(call: Call, first: int) -> tuple[float, ...]:
    return tuple(_scale(call, position) for position in range(first, first + GATES))


def _scale(call: Call, position: int) -> float:
    tensor = call.flat(position)
    if len(tensor.scales) != 1 or tensor.scales[0] <= 0 or tensor.zero_points.any():
        raise ModelError(f"{call.place}: input {position} needs one positive scale and the zero point 0")
    return float(tensor.scales[0])


def _cell_exponent(call: Call) -> int:
    """Of 2, the cell's scale. Raises UnsupportedOp where the states' grids are others than the Graph's."""
    state, cell = call.flat(OUTPUT_STATE), call.flat(CELL_STATE)
    out = activation_type(call.flat_output(), ())
    if (tuple(state.scales.tolist()), _first(state.zero_points)) != (out.scale, out.zero_point):
        raise UnsupportedOp("an output state on another grid than the output's")
    exponent = log2(cell.scales[0]) if len(cell.scales) == 1 and cell.scales[0] > 0 else 0.5
    if cell.dtype != "INT16" or exponent != int(exponent):
        raise UnsupportedOp(
            f"a cell state of {cell.dtype} with the scale {cell.scales.tolist()}; a power of 2 is read"
        )
    return int(exponent)


def _first(numbers: Sequence[int] | np.ndarray) -> int:
    return int(numbers[0]) if len(numbers) else 0


def svdf(call: Call) -> None:
    """One step from a memory of zeros. On integers TFLite's kernels leave the activation out, and so does the Graph."""
    x, full = call.activation(), call.full_shape()
    if len(full) != 2 or full[0] != 1:
        raise UnsupportedOp(f"an input {full}; one step (1, channels) is read")
    activation, rank = activation_of(call), int(call.option("Rank"))
    integers = call.draft.type(x).is_quantized
    feature, time = call.numbers(FEATURE), call.numbers(TIME)
    units = feature.shape[0] // rank if feature.ndim and rank > 0 else 0
    bias = call.numbers(BIAS) if call.has(BIAS) else np.zeros(units, np.int32 if integers else np.float32)
    op = Svdf(rank, "none", _memory_scale(call)) if integers else Svdf(rank, activation)
    kinds = (
        _kinds(call, feature, time, bias)
        if integers
        else [TensorType(d.shape) for d in (feature, time, bias)]
    )
    if not integers and any(d.dtype.kind != "f" for d in (feature, time, bias)):
        raise UnsupportedOp(
            "integer weights on real numbers (a hybrid model); quantize all of it, or nothing"
        )
    stem = call.flat(FEATURE).name.partition(";")[0]
    data = (feature, time, bias) if integers else (d.astype(np.float32) for d in (feature, time, bias))
    names = [
        call.draft.constant(f"{stem}.{suffix}", numbers, kind)
        for suffix, numbers, kind in zip(("feature", "time", "bias"), data, kinds, strict=True)
    ]
    call.emit(op, call.reshaped(x, full), *names, full=(1, units))
    if integers:
        _require_fitting_sums(call, op, time, bias)


def _kinds(call: Call, feature: np.ndarray, time: np.ndarray, bias: np.ndarray) -> list[TensorType]:
    """Of an integer SVDF's constants. Raises UnsupportedOp for other widths than the Graph's."""
    dtypes = [d.dtype for d in (feature, time, bias)]
    if dtypes != [np.int8, np.int16, np.int32]:
        found = ", ".join(str(d) for d in dtypes)
        raise UnsupportedOp(f"weights and bias of {found} on integers; int8, int16, int32 are read")
    for data, largest in ((feature, 127), (time, INT16_MAX)):
        if np.abs(data.astype(np.int64)).max(initial=0) > largest:
            raise UnsupportedOp(f"weights beyond ±{largest}; symmetric weights are read")
    scales = _scale(call, FEATURE), _scale(call, TIME)
    grid = float(np.float32(_memory_scale(call) * scales[1]))
    if grid <= 0:
        raise ModelError(f"{call.place}: weight scale times memory scale vanishes in float32")
    return [
        TensorType(feature.shape, "int8", scales[:1]),
        TensorType(time.shape, "int16", scales[1:]),
        TensorType(bias.shape, "int32", (grid,)),
    ]


def _memory_scale(call: Call) -> float:
    memory = call.flat(MEMORY)
    if memory.dtype != "INT16" or memory.is_constant:
        raise UnsupportedOp(f"a memory of {memory.dtype}; one of INT16 numbers is read")
    return _scale(call, MEMORY)


def _require_fitting_sums(call: Call, op: Svdf, time: np.ndarray, bias: np.ndarray) -> None:
    """The Graph's sums saturate at 30 bits: fine where they lie beyond all codes of the output by then."""
    out = activation_type(call.flat_output(), ())
    newest = np.abs(time[:, -1].astype(np.int64)).reshape(-1, op.rank).sum(1)
    reach = int((newest * (INT16_MAX + 1) + np.abs(bias.astype(np.int64))).max())
    steps = SHIFTED_MAX * op.state_scale * _scale(call, TIME) / out.scale[0]
    if reach >= SHIFTED_MAX and steps < max(127 - out.zero_point, 128 + out.zero_point):
        raise ModelError(f"{call.place}: its sums may pass 30 bits while the output still tells them apart")

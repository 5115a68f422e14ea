"""UNIDIRECTIONAL_SEQUENCE_LSTM and SVDF: the states are variable tensors.

The file's states go on from call to call; whoever wants each input to start from zero resets them before it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from pintsize.arithmetic import CODES, Grid
from pintsize.errors import UnsupportedOp
from pintsize.graph import TensorType
from pintsize.ops import Lstm, Svdf
from pintsize.write.tflite.draft import (
    ACTIVATIONS,
    DTYPES,
    NUMPY_DTYPES,
    Writing,
    activation_tensor,
    with_batch,
)
from pintsize.write.tflite.flat import FlatTensor
from pintsize.write.tflite.shapes import reshape_to

LEFT_OUT = -1
TANH = 4
#: the Graph's gates are i, f, g, o, and so are the file's
GATES = "ifgo"


def lstm(writing: Writing) -> None:
    """Every gate's weights are a tensor of their own."""
    op, out = writing.node.op, writing.out
    assert isinstance(op, Lstm)
    hidden = out.shape[1]
    weights, recurrent, biases = (_by_gate(writing, i) for i in (1, 2, 3))
    cell = (
        TensorType((hidden,), "int16", (2.0**op.cell_exponent,))
        if out.is_quantized
        else TensorType((hidden,))
    )
    output_state = writing.draft.add(_state(writing, "output_state", out, hidden))
    cell_state = writing.draft.add(_state(writing, "cell_state", cell, hidden))
    inputs = (
        writing.input(), *weights, *recurrent, *[LEFT_OUT] * 3, *biases, LEFT_OUT, LEFT_OUT, output_state, cell_state,
        *[LEFT_OUT] * 4,
    )  # fmt: skip
    attributes = {"FusedActivationFunction": TANH, "CellClip": op.cell_clip}
    writing.emit(
        "UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, "UnidirectionalSequenceLSTMOptions", attributes,
        intermediates=_intermediates(writing) if out.is_quantized else (), version=2,
    )  # fmt: skip


def _by_gate(writing: Writing, position: int) -> list[int]:
    name, kind, data = writing.node.inputs[position], writing.type(position), writing.data(position)
    wide = writing.type(0).dtype == "int16"  # then TFLite Micro takes biases of 64 bits
    dtype = {"float32": "FLOAT32", "int32": "INT64" if wide else "INT32"}.get(kind.dtype, "INT8")
    made: list[int] = []
    for gate, letter in enumerate(GATES):
        part = np.ascontiguousarray(data[:, gate]).astype(NUMPY_DTYPES[dtype])
        scale = kind.scale[gate : gate + 1]
        made.append(
            writing.draft.add(FlatTensor(f"{name}.{letter}", part.shape, dtype, scale, data=part.tobytes()))
        )
    return made


def _state(writing: Writing, name: str, kind: TensorType, hidden: int) -> FlatTensor:
    flat = activation_tensor(f"{writing.node.output}.{name}", kind, (1, hidden))
    return FlatTensor(flat.name, flat.shape, flat.dtype, flat.scales, flat.zero_point, is_variable=True)


def _intermediates(writing: Writing) -> tuple[int, ...]:
    """LiteRT asks for the grid of what the gates multiply: here the output's own. The others it leaves unread."""
    kinds = [TensorType((), "int16", (2.0**-12,))] * 4 + [
        TensorType((), writing.out.dtype, writing.out.scale, writing.out.zero_point)
    ]
    return tuple(
        writing.draft.add(activation_tensor(f"{writing.node.output}.intermediate{i}", kind, (0,)))
        for i, kind in enumerate(kinds)
    )


def svdf(writing: Writing) -> None:
    """One step a call, as SVDF has it.

    On integers LiteRT asks for the activation RELU, yet neither kernel computes it: what bounds codes goes behind it.
    """
    op, x, out = writing.node.op, writing.type(0), writing.out
    assert isinstance(op, Svdf)
    if x.shape[0] != 1:
        raise UnsupportedOp(
            f"a sequence of {x.shape[0]} steps; .tflite's SVDF takes one step a call and keeps its memory between calls"
        )
    filters, memory = writing.type(2).shape
    size = (filters * memory,)
    kind = TensorType(size, "int16", (op.state_scale,)) if out.is_quantized else TensorType(size)
    step = _reshaped(writing, writing.input(), "step", replace(x, shape=x.shape[1:]))
    state = writing.draft.add(_state(writing, "state", kind, filters * memory))
    inputs = (step, writing.weight(1), _time_weight(writing), writing.bias(3, "INT32"), state)
    made = replace(out, shape=out.shape[1:])
    bound = _bound_behind(op, out)
    activation = ACTIVATIONS["relu"] if out.is_quantized else writing.activation_code()
    attributes = {"Rank": op.rank, "FusedActivationFunction": activation}
    units = writing.between("units", made)
    writing.emit("SVDF", inputs, "SVDFOptions", attributes, units, version=3 if out.is_quantized else 1)
    if bound:
        units = writing.emit(bound, (units,), output=writing.between("bounded", made), version=2)
    reshape_to(writing, units, out)


def _bound_behind(op: Svdf, out: TensorType) -> str:
    """The operator for an activation that bounds integer codes; empty where there is none."""
    if not out.is_quantized:
        return ""
    grid = Grid.of(torch.tensor(out.scale[0]), out.zero_point, 8).bounded(op.activation)
    return op.activation.upper() if (grid.low, grid.high) != CODES[8] else ""


def _reshaped(writing: Writing, x: int, suffix: str, kind: TensorType) -> int:
    made, shape = writing.between(suffix, kind), with_batch(kind)
    target = writing.whole_numbers(f"{suffix}_shape", shape)
    return writing.emit("RESHAPE", (x, target), "ReshapeOptions", {"NewShape": shape}, made)


def _time_weight(writing: Writing) -> int:
    kind, data = writing.type(2), writing.data(2)
    dtype = DTYPES[kind.dtype]
    codes = data.astype(NUMPY_DTYPES[dtype]).tobytes()
    return writing.draft.add(FlatTensor(writing.node.inputs[2], kind.shape, dtype, kind.scale, data=codes))

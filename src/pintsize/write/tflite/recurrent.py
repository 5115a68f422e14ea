"""UNIDIRECTIONAL_SEQUENCE_LSTM: every gate's weights are a tensor of their own, the states are variable tensors.

The file's states go on from call to call; whoever wants each input to start from zero resets them before it.
"""

from __future__ import annotations

import numpy as np

from pintsize.graph import TensorType
from pintsize.ops import Lstm
from pintsize.write.tflite.draft import NUMPY_DTYPES, Writing, activation_tensor
from pintsize.write.tflite.flat import FlatTensor

LEFT_OUT = -1
TANH = 4
#: the Graph's gates are i, f, g, o, and so are the file's
GATES = "ifgo"


def lstm(writing: Writing) -> None:
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
    dtype = {"float32": "FLOAT32", "int32": "INT32"}.get(kind.dtype, "INT8")
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
        TensorType((), "int8", writing.out.scale, writing.out.zero_point)
    ]
    return tuple(
        writing.draft.add(activation_tensor(f"{writing.node.output}.intermediate{i}", kind, (0,)))
        for i, kind in enumerate(kinds)
    )

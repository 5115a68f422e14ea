"""Operators on numbers one by one, or on rows of them: sums, products, functions of one number, SOFTMAX, PRELU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pintsize.errors import ModelError, UnsupportedOp
from pintsize.graph import Op, TensorType
from pintsize.ops import (
    Add,
    Argmax,
    Elu,
    Gelu,
    LeakyRelu,
    Matmul,
    Mul,
    Prelu,
    Relu,
    Relu6,
    Softmax,
    Square,
    Sub,
)  # fmt: skip
from pintsize.ops.argmax import LEAST_INDEX_CODE
from pintsize.read.tflite_activation import activation_of
from pintsize.read.tflite_draft import Call, activation_type, without_batch


def add(call: Call) -> None:
    call.emit(Add(activation_of(call)), call.operand(0), call.operand(1))


def sub(call: Call) -> None:
    call.emit(Sub(activation_of(call)), call.operand(0), call.operand(1))


def mul(call: Call) -> None:
    call.emit(Mul(activation_of(call)), call.operand(0), call.operand(1))


def div(call: Call) -> None:
    """Of real numbers by a constant: a product with its reciprocals."""
    x, divisor = call.activation(), call.numbers(1)
    if call.draft.type(x).is_quantized or divisor.dtype.kind != "f":
        raise UnsupportedOp("on integers; of real numbers by a constant it is read")
    with np.errstate(divide="ignore", over="ignore"):
        factor = (1 / divisor.astype(np.float64)).astype(np.float32).reshape(without_batch(divisor.shape))
    if not np.isfinite(factor).all():
        raise ModelError(f"{call.place} divides by a number without a reciprocal in float32")
    name = call.draft.constant(call.flat(1).name, factor, TensorType(factor.shape))
    call.emit(Mul(activation_of(call)), x, name)


def extremum(op: Op) -> Callable[[Call], None]:
    """MAXIMUM and MINIMUM compare codes: all must be on one grid."""

    def read(call: Call) -> None:
        names = call.operand(0), call.operand(1)
        for name in names:
            call.require_same_grid(name)
        call.emit(op, *names)

    return read


def squared_difference(call: Call) -> None:
    """Of real numbers, as two ops."""
    a, b = call.operand(0), call.operand(1)
    if call.draft.type(a).is_quantized:
        raise UnsupportedOp("on integers; on real numbers it is read")
    call.emit(Square(), call.beside(Sub(), a, b))


def elementwise(op: Op) -> Callable[[Call], None]:
    """An op on one activation, without attributes."""

    def read(call: Call) -> None:
        call.emit(op, call.activation())

    return read


def relu6(call: Call) -> None:
    """TFLite Micro's keeps its input's codes, so input and output must share a grid."""
    x = call.activation()
    call.require_same_grid(x)
    call.emit(Relu6(), x)


def leaky_relu(call: Call) -> None:
    call.emit(LeakyRelu(float(call.option("Alpha"))), call.activation())


def elu(call: Call) -> None:
    call.emit(Elu(), call.activation())


def gelu(call: Call) -> None:
    call.emit(Gelu(bool(call.option("Approximate"))), call.activation())


def prelu(call: Call) -> None:
    call.emit(Prelu(), call.activation(), call.operand(1))


def softmax(call: Call) -> None:
    call.emit(Softmax(float(call.option("Beta"))), call.activation())


def matmul(call: Call) -> None:
    adjoint = bool(call.option("AdjX")), bool(call.option("AdjY"))
    call.emit(Matmul(*adjoint), call.activation(0), call.activation(1))


def argmax(call: Call) -> None:
    """The Graph's code is the index less 128, where the file makes a 32-bit index."""
    tensor = call.flat_output()
    if (tensor.index,) != call.draft.model.outputs and call.draft.readers.get(tensor.index) != {"CAST"}:
        raise UnsupportedOp("inside the model; at its output and before a CAST it is read")
    full = call.full_shape()
    axis = call.one_axis(call.whole_number(1), len(full))
    x, left_out = call.along(call.activation(), full, [axis])
    kind = call.draft.type(x)
    keep = len(call.draft.type(x).shape) == 1
    op = Argmax(axis - left_out, keep)
    made = TensorType((), "int8", (1.0,), LEAST_INDEX_CODE) if kind.is_quantized else TensorType(())
    name = call.beside(op, x, kind=made)
    after = (*full[:axis], *full[axis + 1 :])
    if after != tensor.shape and not tensor.is_dynamic:
        raise ModelError(f"{call.place} makes {after}; the file says {tensor.shape}")
    call.draft.names[tensor.index], call.draft.shapes[tensor.index] = name, after


def with_activation(call: Call, op: Op, x: str) -> None:
    """An op that has no bounds of its own, and the bound behind it, on the output's grid."""
    activation = activation_of(call)
    if activation == "none":
        call.emit(op, x)
        return
    kind = replace(activation_type(call.flat_output(), ()), shape=())
    call.emit(Relu() if activation == "relu" else Relu6(), call.beside(op, x, kind=kind))

"""What works on numbers one by one or on rows of them: sums, products, functions of one number, softmax, reductions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pintsize.errors import UnsupportedOp
from pintsize.graph import TensorType
from pintsize.ops import (
    Add,
    Argmax,
    BatchNorm,
    Elu,
    Gelu,
    HardSigmoid,
    LayerNorm,
    LeakyRelu,
    Matmul,
    Mul,
    Softmax,
    Sub,
)  # fmt: skip
from pintsize.ops.reduction import Reduction
from pintsize.write.tflite.draft import Writing
from pintsize.write.tflite.flat import FlatTensor

#: of TensorType
INT32 = 2
#: of ActivationFunctionType
RELU = 1


def add(writing: Writing) -> None:
    assert isinstance(writing.node.op, Add)
    attributes = {"FusedActivationFunction": writing.activation_code()}
    writing.emit("ADD", (writing.input(0), writing.input(1)), "AddOptions", attributes, version=2)


def mul(writing: Writing) -> None:
    assert isinstance(writing.node.op, Mul)
    attributes = {"FusedActivationFunction": writing.activation_code()}
    writing.emit("MUL", (writing.input(0), writing.input(1)), "MulOptions", attributes, version=2)


def sub(writing: Writing) -> None:
    assert isinstance(writing.node.op, Sub)
    attributes = {"FusedActivationFunction": writing.activation_code()}
    writing.emit("SUB", (writing.input(0), writing.input(1)), "SubOptions", attributes, version=2)


def maximum(writing: Writing) -> None:
    writing.emit("MAXIMUM", (writing.input(0), writing.input(1)), "MaximumMinimumOptions", version=2)


def minimum(writing: Writing) -> None:
    writing.emit("MINIMUM", (writing.input(0), writing.input(1)), "MaximumMinimumOptions", version=2)


def prelu(writing: Writing) -> None:
    writing.emit("PRELU", (writing.input(0), writing.input(1)))


def matmul(writing: Writing) -> None:
    op = writing.node.op
    assert isinstance(op, Matmul)
    attributes = {"AdjX": op.transposed_a, "AdjY": op.transposed_b}
    inputs = writing.input(0), writing.input(1)
    writing.emit("BATCH_MATMUL", inputs, "BatchMatMulOptions", attributes, version=2)


def reduction(writing: Writing, code: str) -> None:
    op = writing.node.op
    assert isinstance(op, Reduction)
    axes = writing.whole_numbers("axes", [a + 1 for a in op.summed(writing.type(0).shape)])
    writing.emit(code, (writing.input(), axes), "ReducerOptions", {"KeepDims": op.keep}, version=2)


def mean(writing: Writing) -> None:
    reduction(writing, "MEAN")


def total(writing: Writing) -> None:
    reduction(writing, "SUM")


def argmax(writing: Writing) -> None:
    """Indices in 32 bits; only the model's output can be that."""
    op, before = writing.node.op, writing.type(0).shape
    assert isinstance(op, Argmax)
    if writing.draft.graph.outputs != (writing.node.output,) or (op.keep and len(before) > 1):
        raise UnsupportedOp(
            "an index inside the model or with its axis kept; .tflite has 32-bit indices without it"
        )
    dropped = op.axis % len(before)
    shape = (1, *(n for axis, n in enumerate(before) if axis != dropped))
    made = writing.draft.add(FlatTensor(writing.node.output, shape, "INT32"))
    writing.draft.indices[writing.node.output] = made
    axis = writing.whole_numbers("axis", [dropped + 1])
    writing.emit("ARG_MAX", (writing.input(), axis), "ArgMaxOptions", {"OutputType": INT32}, made, version=2)


def relu(writing: Writing) -> None:
    writing.emit("RELU", (writing.input(),), version=2)


def relu6(writing: Writing) -> None:
    """RELU6 itself keeps its input's grid: where the output has another, a RELU goes there first."""
    x, before, after = writing.input(), writing.type(0), writing.out
    if writing.is_integer and (before.scale, before.zero_point) != (after.scale, after.zero_point):
        x = writing.emit("RELU", (x,), output=writing.between("relu", after), version=2)
    writing.emit("RELU6", (x,), version=2)


def sigmoid(writing: Writing) -> None:
    writing.emit("LOGISTIC", (writing.input(),), version=2)


def tanh(writing: Writing) -> None:
    writing.emit("TANH", (writing.input(),), version=2)


def hard_swish(writing: Writing) -> None:
    writing.emit("HARD_SWISH", (writing.input(),), "HardSwishOptions")


def leaky_relu(writing: Writing) -> None:
    op = writing.node.op
    assert isinstance(op, LeakyRelu)
    writing.emit("LEAKY_RELU", (writing.input(),), "LeakyReluOptions", {"Alpha": op.slope}, version=2)


def softmax(writing: Writing) -> None:
    op = writing.node.op
    assert isinstance(op, Softmax)
    writing.emit("SOFTMAX", (writing.input(),), "SoftmaxOptions", {"Beta": op.beta}, version=2)


def absolute(writing: Writing) -> None:
    writing.emit("ABS", (writing.input(),), "AbsOptions", version=2)


def negative(writing: Writing) -> None:
    writing.emit("NEG", (writing.input(),), "NegOptions")


def square(writing: Writing) -> None:
    writing.emit("SQUARE", (writing.input(),), "SquareOptions")


def square_root(writing: Writing) -> None:
    writing.emit("SQRT", (writing.input(),))


def reciprocal_root(writing: Writing) -> None:
    writing.emit("RSQRT", (writing.input(),), version=2)


def exponential(writing: Writing) -> None:
    writing.emit("EXP", (writing.input(),), "ExpOptions", version=2)


def elu(writing: Writing) -> None:
    op = writing.node.op
    assert isinstance(op, Elu)
    if op.alpha != 1.0:
        raise UnsupportedOp(f"alpha {op.alpha}; .tflite has 1")
    writing.emit("ELU", (writing.input(),))


def gelu(writing: Writing) -> None:
    op = writing.node.op
    assert isinstance(op, Gelu)
    writing.emit("GELU", (writing.input(),), "GeluOptions", {"Approximate": op.tanh})


def log_softmax(writing: Writing) -> None:
    writing.emit("LOG_SOFTMAX", (writing.input(),), "LogSoftmaxOptions", version=2)


def hard_sigmoid(writing: Writing) -> None:
    """Of real numbers: slope, offset and bounds one by one."""
    op = writing.node.op
    assert isinstance(op, HardSigmoid)
    require_float(writing)
    scaled = _binary(writing, "MUL", writing.input(), _number(writing, "alpha", op.alpha), "scaled")
    shifted = _binary(writing, "ADD", scaled, _number(writing, "beta", op.beta), "shifted", activation=RELU)
    one = _number(writing, "one", 1.0)
    writing.emit("MINIMUM", (shifted, one), "MaximumMinimumOptions")


def layer_norm(writing: Writing) -> None:
    """Of real numbers: mean, variance, root, gain and offset one by one."""
    op, kind = writing.node.op, writing.type(0)
    assert isinstance(op, LayerNorm)
    require_float(writing)
    x, axes = writing.input(), writing.whole_numbers("axes", [len(kind.shape)])
    row = replace(kind, shape=(*kind.shape[:-1], 1))
    mean = writing.emit("MEAN", (x, axes), "ReducerOptions", {"KeepDims": True}, writing.between("mean", row))
    centred = _binary(writing, "SUB", x, mean, "centred")
    squares = writing.emit("SQUARE", (centred,), "SquareOptions", output=writing.between("squares", kind))
    spread = writing.between("variance", row)
    writing.emit("MEAN", (squares, axes), "ReducerOptions", {"KeepDims": True}, spread)
    epsilon = _number(writing, "epsilon", op.epsilon)
    shifted = _binary(writing, "ADD", spread, epsilon, "shifted", kind=row)
    root = writing.emit("RSQRT", (shifted,), output=writing.between("root", row))
    unit = _binary(writing, "MUL", centred, root, "unit")
    scaled = _binary(writing, "MUL", unit, writing.bias(1), "scaled")
    writing.emit("ADD", (scaled, writing.bias(2)), "AddOptions", {"FusedActivationFunction": 0})


def require_float(writing: Writing) -> None:
    """Raises UnsupportedOp for integers."""
    if writing.is_integer:
        raise UnsupportedOp("on integers; .tflite has no operator for it, only steps for real numbers")


def _number(writing: Writing, suffix: str, value: float) -> int:
    data = np.array([value], "<f4").tobytes()
    return writing.draft.add(FlatTensor(f"{writing.node.output}.{suffix}", (1,), "FLOAT32", data=data))


def _binary(
    writing: Writing,
    code: str,
    a: int,
    b: int,
    suffix: str,
    kind: TensorType | None = None,
    activation: int = 0,
) -> int:
    options = f"{code.capitalize()}Options"
    made = writing.between(suffix, kind or writing.type(0))
    return writing.emit(code, (a, b), options, {"FusedActivationFunction": activation}, made)


def batch_norm(writing: Writing) -> None:
    """A gain and an offset per channel."""
    op = writing.node.op
    assert isinstance(op, BatchNorm)
    gain, bias, mean, variance = (writing.data(i).astype(np.float64) for i in range(1, 5))
    slope = gain / np.sqrt(variance + op.epsilon)
    names = f"{writing.node.output}.gain", f"{writing.node.output}.offset"
    first, second = (
        writing.draft.add(FlatTensor(name, data.shape, "FLOAT32", data=data.astype("<f4").tobytes()))
        for name, data in zip(names, (slope, bias - mean * slope), strict=True)
    )
    scaled = writing.between("scaled", writing.out)
    writing.emit("MUL", (writing.input(), first), "MulOptions", {"FusedActivationFunction": 0}, scaled)
    writing.emit("ADD", (scaled, second), "AddOptions", {"FusedActivationFunction": 0})

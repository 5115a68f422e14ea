"""How each op of ONNX is read: an explicit table, from its name to a function."""

from __future__ import annotations

from collections.abc import Callable

from pintsize.errors import UnsupportedOp
from pintsize.graph import Op
from pintsize.ops import (
    Abs,
    Elu,
    Exp,
    Gelu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
    Relu,
    Sigmoid,
    Sqrt,
    Square,
    Sum,
    Tanh,
)
from pintsize.read import onnx_arithmetic as arithmetic
from pintsize.read import onnx_parts as parts
from pintsize.read import onnx_pools as pools
from pintsize.read import onnx_shapes as shapes
from pintsize.read import onnx_shifted as shifted
from pintsize.read import onnx_weighted as weighted
from pintsize.read.draft import Value
from pintsize.read.onnx_call import Known, OnnxCall
from pintsize.read.onnx_cast import cast
from pintsize.read.onnx_shifted import Moved

Result = Moved | Known | tuple[Moved | None, ...]
Reader = Callable[[OnnxCall], Result]


def apply(call: OnnxCall, op: Op) -> Value:
    """An op on one tensor that keeps its shape."""
    x = call.value()
    return Value(call.call().emit(op, x.tensor), x.shape, x.layout)


def elementwise(op: Op) -> Reader:
    """The reading function of an activation without attributes."""
    return lambda call: apply(call, op)


def first(call: OnnxCall) -> Value:
    """Ops that do nothing here."""
    return call.value()


def dropout(call: OnnxCall) -> Value:
    """Dropout when nothing is dropped."""
    if call.given(2) is not None and call.known(2).data.any():
        raise UnsupportedOp("it drops at random: export the model in eval mode")
    return call.value()


def leaky_relu(call: OnnxCall) -> Value:
    return apply(call, LeakyRelu(call.number("alpha", 0.01)))


def hard_sigmoid(call: OnnxCall) -> Value:
    return apply(call, HardSigmoid(call.number("alpha", 0.2), call.number("beta", 0.5)))


def elu(call: OnnxCall) -> Value:
    return apply(call, Elu(call.number("alpha", 1.0)))


def gelu(call: OnnxCall) -> Value:
    return apply(call, Gelu(call.word("approximate", "none") == "tanh"))


def power(call: OnnxCall) -> Value:
    """Pow by 2 or 0.5."""
    exponent = call.known(1).data.reshape(-1)
    if exponent.size != 1 or float(exponent[0]) not in (2.0, 0.5):
        raise UnsupportedOp("only the powers 2 and 0.5 are supported")
    return apply(call, Square() if exponent[0] == 2 else Sqrt())


READERS: dict[str, Reader] = {
    "Abs": elementwise(Abs()),
    "Add": arithmetic.add,
    "ArgMax": parts.argmax,
    "AveragePool": pools.average_pool,
    "BatchNormalization": weighted.batch_norm,
    "Cast": cast,
    "Clip": arithmetic.clip,
    "Concat": shapes.concat,
    "Conv": weighted.convolution,
    "ConvTranspose": weighted.transposed_convolution,
    "Div": arithmetic.divide,
    "Dropout": dropout,
    "Elu": elu,
    "Exp": elementwise(Exp()),
    "Expand": parts.expand,
    "Flatten": shapes.flatten,
    "GRU": lambda call: shifted.gru(call, call.value()),
    "Gather": parts.gather,
    "Gelu": gelu,
    "Gemm": weighted.gemm,
    "GlobalAveragePool": pools.global_average_pool,
    "GlobalMaxPool": pools.global_max_pool,
    "HardSigmoid": hard_sigmoid,
    "HardSwish": elementwise(HardSwish()),
    "Identity": first,
    "LSTM": lambda call: shifted.lstm(call, call.value()),
    "LayerNormalization": weighted.layer_norm,
    "LeakyRelu": leaky_relu,
    "LogSoftmax": shapes.log_softmax,
    "MatMul": weighted.matmul,
    "Max": arithmetic.maximum,
    "MaxPool": pools.max_pool,
    "Min": arithmetic.minimum,
    "Mul": arithmetic.multiply,
    "Neg": arithmetic.negate,
    "PRelu": arithmetic.prelu,
    "Pad": parts.pad,
    "Pow": power,
    "ReduceMax": pools.reduce_max,
    "ReduceMean": pools.reduce_mean,
    "ReduceSum": lambda call: pools.reduced(call, Sum),
    "Relu": elementwise(Relu()),
    "Reshape": shapes.reshape,
    "Resize": parts.resize,
    "Shape": shapes.shape,
    "Sigmoid": elementwise(Sigmoid()),
    "Size": shapes.size,
    "Slice": parts.slice_,
    "Softmax": shapes.softmax,
    "Split": parts.split,
    "Sqrt": elementwise(Sqrt()),
    "Squeeze": shapes.squeeze,
    "Sub": arithmetic.subtract,
    "Tanh": elementwise(Tanh()),
    "Tile": parts.tile,
    "Transpose": shapes.transpose,
    "Unsqueeze": shapes.unsqueeze,
}

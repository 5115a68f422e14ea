"""How each op of the Graph is written in ONNX: an explicit table, from its name to a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pintsize.graph import Node
from pintsize.ops import (
    AveragePool2d,
    BatchNorm,
    Concat,
    Conv2d,
    DepthwiseConv2d,
    Elementwise,
    Elu,
    Gelu,
    HardSigmoid,
    LayerNorm,
    LeakyRelu,
    Linear,
    Matmul,
    MaxPool2d,
    Softmax,
    Transpose,
    TransposeConv2d,
)
from pintsize.ops.rsqrt import LEAST
from pintsize.write.onnx import moves, recurrent
from pintsize.write.onnx.draft import Draft
from pintsize.write.onnx.layout import TO_FIRST, Form, order_matters

Writer = Callable[[Draft, Node], None]


def _pads(padding: tuple[int, int, int, int]) -> list[int]:
    """(top, bottom, left, right) → ONNX's (top, left, bottom, right)."""
    top, bottom, left, right = padding
    return [top, left, bottom, right]


def conv2d(draft: Draft, node: Node) -> None:
    """Conv with weights (O, C, Kh, Kw)."""
    assert isinstance(node.op, Conv2d)
    _convolution(draft, node, node.op, draft.graph.constant(node.inputs[1]).transpose(0, 3, 1, 2), 1)


def depthwise_conv2d(draft: Draft, node: Node) -> None:
    """Conv with one group per channel, weights (C · m, 1, Kh, Kw)."""
    assert isinstance(node.op, DepthwiseConv2d)
    kernel = draft.graph.constant(node.inputs[1]).transpose(2, 0, 1)[:, np.newaxis]
    _convolution(draft, node, node.op, kernel, draft.graph.type(node.inputs[0]).shape[-1])


def _convolution(
    draft: Draft, node: Node, op: Conv2d | DepthwiseConv2d, kernel: np.ndarray, group: int
) -> None:
    inputs = [
        draft.real(node.inputs[0], "first", node.name),
        draft.weight(node, 1, kernel, 0),
        draft.weight(node, 2, draft.graph.constant(node.inputs[2]), 0),
    ]
    y = draft.add(
        "Conv", inputs, f"{node.output}:real", kernel_shape=kernel.shape[2:], strides=op.stride, group=group,
        pads=_pads(op.padding), dilations=op.dilation,
    )  # fmt: skip
    draft.bounded(node, y, "first")


def transpose_conv2d(draft: Draft, node: Node) -> None:
    """ConvTranspose with weights (C, O, Kh, Kw); rows and columns beyond the result are output_padding."""
    assert isinstance(node.op, TransposeConv2d)
    kernel = draft.graph.constant(node.inputs[1]).transpose(3, 0, 1, 2)
    top, bottom, left, right = node.op.padding
    inputs = [
        draft.real(node.inputs[0], "first", node.name),
        draft.weight(node, 1, kernel, 1),
        draft.weight(node, 2, draft.graph.constant(node.inputs[2]), 0),
    ]
    y = draft.add(
        "ConvTranspose", inputs, f"{node.output}:real", kernel_shape=kernel.shape[2:], strides=node.op.stride,
        pads=_pads((top, max(bottom, 0), left, max(right, 0))), output_padding=[max(-bottom, 0), max(-right, 0)],
    )  # fmt: skip
    draft.bounded(node, y, "first")


def linear(draft: Draft, node: Node) -> None:
    """Gemm; rows of a matrix one by one, between two reshapes. Weights follow the order of a flattened image."""
    assert isinstance(node.op, Linear)
    x, name = node.inputs[0], node.name
    shape, rows = draft.graph.type(x).shape, draft.graph.constant(node.inputs[1])
    if draft.form(x) == "flat":
        order = np.arange(shape[0]).reshape(draft.image(x)).transpose(2, 0, 1).reshape(-1)
        rows, real = rows[:, order], draft.real(x, "flat", name)
    else:
        real = draft.real(x, "last", name)
    if len(shape) > 1:
        real = draft.add("Reshape", [real, draft.integers(-1, shape[-1])], f"{name}:rows")
        real = draft.same_codes(x, real, f"{name}:rows")
    bias = draft.weight(node, 2, draft.graph.constant(node.inputs[2]), 0)
    y = draft.add("Gemm", [real, draft.weight(node, 1, rows, 0), bias], f"{node.output}:real", transB=1)
    if len(shape) > 1:
        y = draft.same_codes(node.output, y, f"{node.output}:rows")
        y = draft.add(
            "Reshape", [y, draft.integers(-1, *draft.graph.type(node.output).shape)], f"{node.output}:whole"
        )
    draft.bounded(node, y, "last")


def batch_norm(draft: Draft, node: Node) -> None:
    """BatchNormalization, which has the channels second; without spatial axes they are."""
    assert isinstance(node.op, BatchNorm)
    shape = draft.graph.type(node.inputs[0]).shape
    statistics = [draft.constant(c, draft.graph.constant(c)) for c in node.inputs[1:]]
    form: Form = "first" if len(shape) == 3 else "last"
    x = draft.real(node.inputs[0], form, node.name)
    if len(shape) in (1, 3):
        y = draft.add("BatchNormalization", [x, *statistics], f"{node.output}:real", epsilon=node.op.epsilon)
    else:
        gain, bias, mean, variance = (draft.graph.constant(c).astype(np.float64) for c in node.inputs[1:])
        factor = gain / np.sqrt(variance + node.op.epsilon)
        scaled = draft.add("Mul", [x, _float(draft, f"{node.name}:factor", factor)], f"{node.name}:scaled")
        offset = _float(draft, f"{node.name}:offset", bias - mean * factor)
        y = draft.add("Add", [scaled, offset], f"{node.output}:real")
    draft.put(node.output, y, form)


def _float(draft: Draft, name: str, data: np.ndarray) -> str:
    return draft.constant(name, data.astype(np.float32))


def two_operands(op: str) -> Writer:
    """Add, Mul, …: both in the form of the larger one; the other, or a constant, repeats."""

    def write(draft: Draft, node: Node) -> None:
        rank = max(len(draft.graph.type(i).shape) for i in node.inputs)
        whole = [i for i in draft.graph.activations(node) if len(draft.graph.type(i).shape) == rank]
        form: Form = "first" if any(draft.form(i) == "first" for i in whole) else "last"
        inputs = [operand(draft, node, k, form, rank) for k in range(len(node.inputs))]
        draft.bounded(node, draft.add(op, inputs, f"{node.output}:real"), form)

    return write


def operand(draft: Draft, node: Node, index: int, form: Form, rank: int) -> str:
    """One of several inputs, with ones before its axes up to this rank."""
    name, reader = node.inputs[index], f"{node.name}:{index}"
    shape = draft.graph.type(name).shape
    whole = (*([1] * (rank - len(shape))), *shape)
    if draft.graph.tensors[name].is_constant:
        data = draft.graph.constant(name).reshape(1, *whole)
        return draft.operand(name, data.transpose(TO_FIRST) if form == "first" else data)
    if whole == shape:
        return draft.real(name, form, reader)
    real = draft.add(
        "Reshape", [draft.real(name, "last", reader), draft.integers(0, *whole)], f"{reader}:spread"
    )
    real = draft.same_codes(name, real, f"{reader}:spread")
    if form == "last":
        return real
    real = draft.add("Transpose", [real], f"{reader}:first", perm=TO_FIRST)
    return draft.same_codes(name, real, f"{reader}:first")


def average_pool2d(draft: Draft, node: Node) -> None:
    """GlobalAveragePool where the window is the whole image, else AveragePool that does not count padding."""
    op, shape = node.op, draft.graph.type(node.inputs[0]).shape
    assert isinstance(op, AveragePool2d)
    x = draft.real(node.inputs[0], "first", node.name)
    if op.kernel == shape[:2] and not any(op.padding):
        y = draft.add("GlobalAveragePool", [x], f"{node.output}:real")
    else:
        y = draft.add(
            "AveragePool", [x], f"{node.output}:real", kernel_shape=op.kernel, strides=op.stride,
            pads=_pads(op.padding), count_include_pad=0,
        )  # fmt: skip
    draft.put(node.output, y, "first")


def max_pool2d(draft: Draft, node: Node) -> None:
    """MaxPool."""
    op = node.op
    assert isinstance(op, MaxPool2d)
    y = draft.add(
        "MaxPool", [draft.real(node.inputs[0], "first", node.name)], f"{node.output}:real", kernel_shape=op.kernel,
        strides=op.stride, pads=_pads(op.padding), dilations=op.dilation,
    )  # fmt: skip
    draft.put(node.output, y, "first")


def elementwise(op: str, **attributes: Any) -> Writer:
    """A function of one number: in whatever form its input lies."""

    def write(draft: Draft, node: Node) -> None:
        x = node.inputs[0]
        form, image = draft.form(x), draft.image(x)
        y = draft.add(op, [draft.real(x, form, node.name)], f"{node.output}:real", **attributes)
        draft.put(node.output, y, form, image)

    return write


def leaky_relu(draft: Draft, node: Node) -> None:
    assert isinstance(node.op, LeakyRelu)
    elementwise("LeakyRelu", alpha=node.op.slope)(draft, node)


def elu(draft: Draft, node: Node) -> None:
    assert isinstance(node.op, Elu)
    elementwise("Elu", alpha=node.op.alpha)(draft, node)


def gelu(draft: Draft, node: Node) -> None:
    assert isinstance(node.op, Gelu)
    elementwise("Gelu", approximate="tanh" if node.op.tanh else "none")(draft, node)


def hard_sigmoid(draft: Draft, node: Node) -> None:
    assert isinstance(node.op, HardSigmoid)
    elementwise("HardSigmoid", alpha=node.op.alpha, beta=node.op.beta)(draft, node)


def square(draft: Draft, node: Node) -> None:
    """x · x."""
    x = node.inputs[0]
    form: Form = "last" if draft.form(x) == "flat" else draft.form(x)
    both = [draft.real(x, form, f"{node.name}:{k}") for k in range(2)]
    draft.put(node.output, draft.add("Mul", both, f"{node.output}:real"), form)


def sqrt(draft: Draft, node: Node) -> None:
    """The root; 0 of negative numbers."""
    x, form = _at_least(draft, node, 0.0)
    draft.put(node.output, draft.add("Sqrt", [x], f"{node.output}:real"), form)


def rsqrt(draft: Draft, node: Node) -> None:
    """The reciprocal of a root."""
    x, form = _at_least(draft, node, LEAST)
    root = draft.add("Sqrt", [x], f"{node.name}:root")
    draft.put(node.output, draft.add("Reciprocal", [root], f"{node.output}:real"), form)


def _at_least(draft: Draft, node: Node, bound: float) -> tuple[str, Form]:
    """The input where it is larger than the bound, and its form."""
    x = node.inputs[0]
    form: Form = "last" if draft.form(x) == "flat" else draft.form(x)
    least = _float(draft, f"{node.name}:least", np.array(bound))
    return draft.add("Max", [draft.real(x, form, node.name), least], f"{node.name}:bounded"), form


def prelu(draft: Draft, node: Node) -> None:
    """PRelu."""
    x = node.inputs[0]
    form: Form = "last" if draft.form(x) == "flat" else draft.form(x)
    rank = len(draft.graph.type(x).shape)
    slopes = operand(draft, node, 1, form, rank)
    y = draft.add("PRelu", [draft.real(x, form, node.name), slopes], f"{node.output}:real")
    draft.put(node.output, y, form)


def requantize(draft: Draft, node: Node) -> None:
    """Nothing but the next QuantizeLinear."""
    x = node.inputs[0]
    form = draft.form(x)
    draft.put(node.output, draft.real(x, form, node.name), form, draft.image(x))


def relu6(draft: Draft, node: Node) -> None:
    """Clip to 0..6."""
    x = node.inputs[0]
    form, image = draft.form(x), draft.image(x)
    bounds = [draft.constant(f"bound_{b}", np.array(b, np.float32)) for b in (0.0, 6.0)]
    y = draft.add("Clip", [draft.real(x, form, node.name), *bounds], f"{node.output}:real")
    draft.put(node.output, y, form, image)


def in_last(op: str, **attributes: Any) -> Writer:
    """An op along the last axis of the Graph."""

    def write(draft: Draft, node: Node) -> None:
        inputs = [draft.real(i, "last", node.name) for i in node.inputs]
        draft.put(node.output, draft.add(op, inputs, f"{node.output}:real", **attributes), "last")

    return write


def softmax(draft: Draft, node: Node) -> None:
    """Softmax over the last axis."""
    assert isinstance(node.op, Softmax)
    x = draft.real(node.inputs[0], "last", node.name)
    if node.op.beta != 1.0:
        x = draft.add(
            "Mul", [x, _float(draft, f"{node.name}:beta", np.array(node.op.beta))], f"{node.name}:scaled"
        )
    draft.put(node.output, draft.add("Softmax", [x], f"{node.output}:real", axis=-1), "last")


def reshape(draft: Draft, node: Node) -> None:
    """Reshape; a flattened image stays in ONNX's order where the layers behind can take it so."""
    x = node.inputs[0]
    before, after = draft.graph.type(x).shape, draft.graph.type(node.output).shape
    name = f"{node.output}:real"
    if draft.form(x) == "first" and len(after) == 3 and after[-1] == before[-1]:
        real = draft.real(x, "first", node.name)
        target = draft.integers(0, after[2], after[0], after[1])
        draft.put(node.output, draft.add("Reshape", [real, target], name), "first")
    elif (
        draft.form(x) == "first"
        and len(after) == 1
        and (not order_matters(before) or _order_is_free(draft, node))
    ):
        real = draft.real(x, "first", node.name)
        form: Form = "flat" if order_matters(before) else "last"
        draft.put(node.output, draft.add("Reshape", [real, draft.integers(0, *after)], name), form, before)
    else:
        real = draft.real(x, "last", node.name)
        draft.put(node.output, draft.add("Reshape", [real, draft.integers(0, *after)], name), "last")


def _order_is_free(draft: Draft, node: Node) -> bool:
    """Whether only linear layers, maybe behind functions of one number, read the flattened image."""
    readers = draft.graph.consumers(node.output)
    return node.output not in draft.graph.outputs and all(
        isinstance(r.op, Linear) or (isinstance(r.op, Elementwise) and _order_is_free(draft, r))
        for r in readers
    )


def transpose(draft: Draft, node: Node) -> None:
    """Transpose of the Graph's own axes."""
    assert isinstance(node.op, Transpose)
    in_last("Transpose", perm=[0, *(a + 1 for a in node.op.axes)])(draft, node)


def concat(draft: Draft, node: Node) -> None:
    """Concat."""
    assert isinstance(node.op, Concat)
    rank = len(draft.graph.type(node.output).shape)
    form: Form = "first" if all(draft.form(i) == "first" for i in draft.graph.activations(node)) else "last"
    inputs = [operand(draft, node, k, form, rank) for k in range(len(node.inputs))]
    if draft.graph.constants(node):
        inputs = [_for_every_input(draft, node, k, real, inputs) for k, real in enumerate(inputs)]
    axis = moves.onnx_axis(node.op.axis, rank, form)
    draft.put(node.output, draft.add("Concat", inputs, f"{node.output}:real", axis=axis), form)


def _for_every_input(draft: Draft, node: Node, index: int, real: str, inputs: list[str]) -> str:
    """A constant as often as the batch is large; what is computed stays."""
    tensor = draft.graph.tensors[node.inputs[index]]
    if not tensor.is_constant:
        return real
    computed = next(
        r for r, i in zip(inputs, node.inputs, strict=True) if not draft.graph.tensors[i].is_constant
    )
    name = f"{node.name}:{index}"
    batch = draft.add("Shape", [computed], f"{name}:batch", start=0, end=1)
    ones = draft.integers(*([1] * len(draft.graph.type(node.output).shape)))
    shape = draft.add("Concat", [batch, ones], f"{name}:shape", axis=0)
    return draft.same_codes(tensor.name, draft.add("Expand", [real, shape], f"{name}:every"), f"{name}:every")


def matmul(draft: Draft, node: Node) -> None:
    """MatMul; what the Graph reads transposed is transposed before."""
    assert isinstance(node.op, Matmul)
    turned = (node.op.transposed_a, node.op.transposed_b)
    inputs = [draft.real(i, "last", f"{node.name}:{k}") for k, i in enumerate(node.inputs)]
    for k, (turn, tensor) in enumerate(zip(turned, node.inputs, strict=True)):
        if turn:
            rank = len(draft.graph.type(tensor).shape) + 1
            order = [*range(rank - 2), rank - 1, rank - 2]
            moved = draft.add("Transpose", [inputs[k]], f"{node.name}:turned_{k}", perm=order)
            inputs[k] = draft.same_codes(tensor, moved, f"{node.name}:turned_{k}")
    draft.put(node.output, draft.add("MatMul", inputs, f"{node.output}:real"), "last")


def layer_norm(draft: Draft, node: Node) -> None:
    """LayerNormalization over the last axis."""
    assert isinstance(node.op, LayerNorm)
    x = draft.real(node.inputs[0], "last", node.name)
    constants = [draft.weight(node, i, draft.graph.constant(node.inputs[i]), 0) for i in (1, 2)]
    y = draft.add(
        "LayerNormalization", [x, *constants], f"{node.output}:real", axis=-1, epsilon=node.op.epsilon
    )
    draft.put(node.output, y, "last")


WRITERS: dict[str, Writer] = {
    "abs": elementwise("Abs"),
    "add": two_operands("Add"),
    "argmax": moves.argmax,
    "average_pool2d": average_pool2d,
    "batch_norm": batch_norm,
    "concat": concat,
    "conv2d": conv2d,
    "depthwise_conv2d": depthwise_conv2d,
    "elu": elu,
    "exp": elementwise("Exp"),
    "gather": moves.gather,
    "gelu": gelu,
    "gru": recurrent.gru,
    "hard_sigmoid": hard_sigmoid,
    "hard_swish": elementwise("HardSwish"),
    "layer_norm": layer_norm,
    "leaky_relu": leaky_relu,
    "linear": linear,
    "log_softmax": in_last("LogSoftmax", axis=-1),
    "lstm": recurrent.lstm,
    "matmul": matmul,
    "max_pool2d": max_pool2d,
    "maximum": two_operands("Max"),
    "mean": moves.mean,
    "minimum": two_operands("Min"),
    "mul": two_operands("Mul"),
    "neg": elementwise("Neg"),
    "pad": moves.pad,
    "prelu": prelu,
    "relu": elementwise("Relu"),
    "relu6": relu6,
    "requantize": requantize,
    "reshape": reshape,
    "resize_bilinear": moves.resize,
    "resize_nearest": moves.resize,
    "rsqrt": rsqrt,
    "sigmoid": elementwise("Sigmoid"),
    "slice": moves.slice_,
    "softmax": softmax,
    "sqrt": sqrt,
    "square": square,
    "sub": two_operands("Sub"),
    "sum": moves.sum_,
    "tanh": elementwise("Tanh"),
    "tile": moves.tile,
    "transpose": transpose,
    "transpose_conv2d": transpose_conv2d,
}

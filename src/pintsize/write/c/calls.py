"""Each op as a call of its C kernel with literal arguments, and the constants that it needs in flash.

One function per op: (graph, node) → Call. `x0`, `x1`, … and `y` stand for the operands; the emitter gives
every layer a function of its own with these parameters. The registry is the dict at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np
import torch

from pintsize.arithmetic import Grid, Quantized, add_factors, pack, quantize_multiplier, softmax_factors
from pintsize.graph import BITS, Graph, Node, TensorType
from pintsize.ops import (
    Add,
    AveragePool2d,
    Concat,
    Conv2d,
    DepthwiseConv2d,
    Elementwise,
    Linear,
    MaxPool2d,
    Mul,
    Pad,
    Reshape,
    Softmax,
    Transpose,
)  # fmt: skip
from pintsize.ops.broadcast import core_shape


@dataclass(frozen=True)
class Constant:
    """An array in flash: `ctype name[] = {data}`; the layer's number becomes part of the name."""

    name: str
    ctype: str
    data: np.ndarray

    @property
    def bytes(self) -> int:
        return self.data.size * {"int8_t": 1, "int32_t": 4}[self.ctype]


@dataclass(frozen=True)
class Invocation:
    """One call of a C function: pointers (`x0`, `y`, `y + 8`, or a constant as `{name}`), then literal numbers."""

    function: str
    pointers: tuple[str, ...]
    literals: tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """What a layer does: invocations in order, the constants and the kernel files that they need."""

    invocations: tuple[Invocation, ...]
    constants: tuple[Constant, ...]
    kernels: tuple[str, ...]


def c_call(function: str, *arguments: str | int) -> Invocation:
    """Pointers first, as the kernels take them."""
    pointers = tuple(a for a in arguments if isinstance(a, str))
    return Invocation(function, pointers, tuple(int(a) for a in arguments[len(pointers) :]))


def grid_of(kind: TensorType) -> Grid:
    return Grid(torch.tensor(kind.scale[0], dtype=torch.float32), kind.zero_point)


def factor(real: float) -> tuple[int, int]:
    """(multiplier, shift) literals of one requantization factor."""
    multiplier, exponent = quantize_multiplier(np.array([real]))
    return int(multiplier[0]), int(exponent[0])


def scales_float64(kind: TensorType) -> np.ndarray:
    return np.array(kind.scale, np.float32).astype(np.float64)


def weighted(graph: Graph, node: Node, output_axis: int) -> tuple[tuple[Constant, ...], int, Grid]:
    """The constants of a layer with weights, the weights' width, and the output grid with its activation."""
    x, w, y = graph.type(node.inputs[0]), graph.type(node.inputs[1]), graph.type(node.output)
    codes = graph.constant(node.inputs[1])
    bits = BITS[w.dtype]
    others = tuple(a for a in range(codes.ndim) if a != output_axis)
    bias = graph.constant(node.inputs[2]).astype(np.int64) - x.zero_point * codes.astype(np.int64).sum(others)
    real = scales_float64(x) * scales_float64(w) / scales_float64(y)
    multiplier, shift = quantize_multiplier(np.broadcast_to(real, bias.shape))
    constants = (
        Constant("weight", "int8_t", pack(codes, bits).view(np.int8).reshape(-1)),
        Constant("bias", "int32_t", bias),
        Constant("multiplier", "int32_t", multiplier),
        Constant("shift", "int8_t", shift),
    )
    return constants, bits, grid_of(y).bounded(node.op.activation)  # type: ignore[attr-defined]


WEIGHTS = ("{weight}", "{bias}", "{multiplier}", "{shift}")


def conv2d(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Conv2d)
    x, w, y = (graph.type(n) for n in (node.inputs[0], node.inputs[1], node.output))
    constants, bits, grid = weighted(graph, node, 0)
    top, _, left, _ = op.padding
    call = c_call(
        "conv2d", "x0", "y", *WEIGHTS, *x.shape, *y.shape, *w.shape[1:3], *op.stride, top, left, *op.dilation,
        int(any(op.padding)), bits, x.zero_point, grid.zero_point, grid.low, grid.high,
    )  # fmt: skip
    return Call((call,), constants, ("requantize", "dot", "conv2d"))


def depthwise_conv2d(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, DepthwiseConv2d)
    x, w, y = (graph.type(n) for n in (node.inputs[0], node.inputs[1], node.output))
    constants, bits, grid = weighted(graph, node, 2)
    top, _, left, _ = op.padding
    call = c_call(
        "depthwise_conv2d", "x0", "y", *WEIGHTS, *x.shape, *y.shape[:2], op.multiplier, *w.shape[:2], *op.stride,
        top, left, *op.dilation, bits, x.zero_point, grid.zero_point, grid.low, grid.high,
    )  # fmt: skip
    return Call((call,), constants, ("requantize", "dot", "depthwise_conv2d"))


def linear(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Linear)
    x, w = graph.type(node.inputs[0]), graph.type(node.inputs[1])
    constants, bits, grid = weighted(graph, node, 0)
    rows = prod(x.shape[:-1])
    call = c_call(
        "linear", "x0", "y", *WEIGHTS, rows, *w.shape[::-1], bits, grid.zero_point, grid.low, grid.high
    )  # fmt: skip
    return Call((call,), constants, ("requantize", "dot", "linear"))


def add(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Add)
    a, b, y = (graph.type(n) for n in (*node.inputs, node.output))
    grids = [grid_of(t) for t in (a, b, y)]
    grid = grids[2].bounded(op.activation)
    factors = add_factors(*(g.scale for g in grids))
    literals = [(int(m[0]), int(s[0])) for m, s in (factors.a, factors.b, factors.out)]
    call = c_call(
        "add", "x0", "x1", "y", y.elements, prod(core_shape(b.shape)), a.zero_point, *literals[0], b.zero_point,
        *literals[1], *literals[2], grid.zero_point, grid.low, grid.high,
    )  # fmt: skip
    return Call((call,), (), ("requantize", "add"))


def mul(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Mul)
    a, b, y = (graph.type(n) for n in (*node.inputs, node.output))
    grid = grid_of(y).bounded(op.activation)
    real = scales_float64(a)[0] * scales_float64(b)[0] / scales_float64(y)[0]
    call = c_call(
        "mul", "x0", "x1", "y", y.elements, prod(core_shape(b.shape)), a.zero_point, b.zero_point, *factor(real),
        grid.zero_point, grid.low, grid.high,
    )  # fmt: skip
    return Call((call,), (), ("requantize", "mul"))


def concat(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Concat)
    y = graph.type(node.output)
    rows, width, offset = prod(y.shape[:-1]), y.shape[-1], 0
    statements: list[Invocation] = []
    for i, name in enumerate(node.inputs):
        x = graph.type(name)
        geometry = (f"x{i}", f"y + {offset}", rows, x.shape[-1], width)
        if (x.scale, x.zero_point) == (y.scale, y.zero_point):
            statements.append(c_call("concat_copy", *geometry))
        else:
            real = scales_float64(x)[0] / scales_float64(y)[0]
            statements.append(c_call("concat_rescale", *geometry, x.zero_point, *factor(real), y.zero_point))
        offset += x.shape[-1]
    return Call(tuple(statements), (), ("requantize", "concat"))


def max_pool2d(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, MaxPool2d)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    top, _, left, _ = op.padding
    call = c_call(
        "max_pool2d", "x0", "y", *x.shape, *y.shape[:2], *op.kernel, *op.stride, top, left, *op.dilation
    )  # fmt: skip
    return Call((call,), (), ("max_pool2d",))


def average_pool2d(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, AveragePool2d)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    top, _, left, _ = op.padding
    call = c_call("average_pool2d", "x0", "y", *x.shape, *y.shape[:2], *op.kernel, *op.stride, top, left)
    return Call((call,), (), ("average_pool2d",))


def elementwise(graph: Graph, node: Node) -> Call:
    op = node.op
    assert isinstance(op, Elementwise)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    codes = torch.zeros(0)
    table = op.table(Quantized(codes, grid_of(x).scale, x.zero_point), grid_of(y))
    constant = Constant("table", "int8_t", table.numpy().astype(np.int8))
    return Call((c_call("lookup", "x0", "y", "{table}", y.elements),), (constant,), ("lookup",))


def pad(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Pad)
    x = graph.type(node.inputs[0])
    return Call((c_call("pad", "x0", "y", *x.shape, *node.op.padding, x.zero_point),), (), ("pad",))


def reshape(graph: Graph, node: Node) -> Call:
    """Only reached when input and output are both the caller's: elsewhere they share a buffer."""
    assert isinstance(node.op, Reshape)
    return Call((c_call("memcpy", "y", "x0", graph.type(node.output).elements),), (), ())


def transpose(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Transpose)
    before, after = graph.type(node.inputs[0]).shape, graph.type(node.output).shape
    strides = [prod(before[a + 1 :]) for a in node.op.axes]
    missing = 4 - len(after)
    call = c_call("transpose", "x0", "y", *[1] * missing, *after, *[0] * missing, *strides)
    return Call((call,), (), ("transpose",))


def softmax(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Softmax)
    x = graph.type(node.inputs[0])
    constants = softmax_factors(x.scale[0])
    call = c_call(
        "softmax", "x0", "y", prod(x.shape[:-1]), x.shape[-1], constants.multiplier, constants.exponent,
        constants.least_difference,
    )  # fmt: skip
    return Call((call,), (), ("requantize", "softmax"))


CALLS: dict[str, Callable[[Graph, Node], Call]] = {
    "add": add, "average_pool2d": average_pool2d, "concat": concat, "conv2d": conv2d,
    "depthwise_conv2d": depthwise_conv2d, "hard_swish": elementwise, "leaky_relu": elementwise, "linear": linear,
    "max_pool2d": max_pool2d, "mul": mul, "pad": pad, "relu": elementwise, "relu6": elementwise,
    "reshape": reshape, "sigmoid": elementwise, "softmax": softmax, "tanh": elementwise, "transpose": transpose,
}  # fmt: skip

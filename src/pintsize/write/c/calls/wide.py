"""Calls of the kernels that compute eight output channels at a time, for wasm SIMD, NEON and AVX2.

One weight layout and one set of kernels (``kernels/wide``) stand on the primitives of the instruction set
(``kernels/<isa>/primitives.c``). Weights lie by 8 outputs, then by runs of 2 or 4 inputs, filled up with zeros.
Activations are encoded for the products in scratch memory; codes may be raised by an offset there, which the biases
take back. Requantization has one shift a layer: where an output's is smaller, a factor 2^n comes before it; eight
outputs with one among them that this does not fit are requantized one by one.
Weights of 4 and 2 bits stay packed, but for depthwise layers, where they are widened to bytes.

WebAssembly's relaxed dot product is left out: its second operand has 7 bits, so 8-bit activations take two of them to
be exact, and on x86 without VNNI that took 1.7 times as long in Chromium as the products of int16 pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from pintsize.arithmetic import quantize_multiplier
from pintsize.graph import BITS, Graph, Node
from pintsize.ops import Add, AveragePool2d, Conv2d, DepthwiseConv2d, Linear, MaxPool2d
from pintsize.passes.plan_memory import Needs
from pintsize.write.c.calls.call import Call, Constant, c_call
from pintsize.write.c.calls.numbers import add_literals, bounds_of, scales_float64

OCTET = 8
QUAD = 4
#: bytes of an encoded activation, at most
CODE_BYTES = 2
INT32_MAX = 2**31 - 1
#: shifts that a layer can have
SHIFTS = range(1, 31)
#: factors are int16
MOST_PLACES = 14
#: as in ``kernels/wide/dot.c``
EXPONENT = 100
ARGUMENTS = ("{weight}", "{bias}", "{multiplier}", "{factor}", "scratch")


@dataclass(frozen=True)
class Requantization:
    """Bias, multiplier and factor of every output (filled up to whole octets), and what the whole layer shares.

    result = (sum + bias) * multiplier / 2^31 * factor / 2^shift, rounded twice. `factors` says what these are: 0: all
    are 1; 1: powers of two; 2: in some octets `EXPONENT` below the outputs' exponents, for no shift fits all of them.
    """

    constants: tuple[Constant, ...]
    shift: int
    factors: int


@dataclass(frozen=True)
class Layout:
    """What an instruction set's products take: `run` inputs side by side, in codes `offset` above int8 numbers."""

    isa: str
    run: int
    offset: int


LAYOUTS = (
    Layout("simd128", run=2, offset=0),
    Layout("neon", run=4, offset=0),
    Layout("avx2", run=4, offset=128),
)


def variants(isa: str) -> Mapping[str, Callable[[Graph, Node], Call | None]]:
    """The calls for one instruction set: simd128, neon or avx2."""
    layout = next(known for known in LAYOUTS if known.isa == isa)
    return {
        "add": lambda graph, node: add(graph, node, layout),
        "average_pool2d": average_pool2d,
        "conv2d": lambda graph, node: conv2d(graph, node, layout),
        "depthwise_conv2d": lambda graph, node: depthwise_conv2d(graph, node, layout),
        "linear": lambda graph, node: linear(graph, node, layout),
        "max_pool2d": max_pool2d,
    }


def conv2d(graph: Graph, node: Node, layout: Layout) -> Call | None:
    assert isinstance(node.op, Conv2d)
    return _conv2d(graph, node, node.op, graph.constant(node.inputs[1]), layout)


def linear(graph: Graph, node: Node, layout: Layout) -> Call | None:
    assert isinstance(node.op, Linear)
    return _matrix(graph, node, graph.constant(node.inputs[1]), layout)


def depthwise_conv2d(graph: Graph, node: Node, layout: Layout) -> Call | None:
    """One output a channel; from a single channel it is an ordinary convolution."""
    op = node.op
    assert isinstance(op, DepthwiseConv2d)
    weight = graph.constant(node.inputs[1])
    if graph.type(node.inputs[0]).shape[-1] == 1:
        dense = Conv2d(op.stride, op.padding, op.dilation, op.activation)
        return _conv2d(graph, node, dense, weight.transpose(2, 0, 1)[..., None], layout)
    return _depthwise(graph, node, op, weight, layout) if op.multiplier == 1 else None


def _conv2d(graph: Graph, node: Node, op: Conv2d, weight: np.ndarray, layout: Layout) -> Call | None:
    """weight: (outputs, kh, kw, channels)."""
    outputs, kh, kw, channels = weight.shape
    if (kh, kw, op.stride, op.padding) == (1, 1, (1, 1), (0, 0, 0, 0)):
        return _matrix(graph, node, weight.reshape(outputs, channels), layout)
    found = _weighted(graph, node, weight.reshape(outputs, -1), layout.offset)
    if found is None:
        return None
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    bits = BITS[graph.type(node.inputs[1]).dtype]
    bordered = _bordered_bytes(x.shape, op.padding)
    window = _whole(kh * kw * channels, QUAD)
    in_place = channels % QUAD == 0 and op.dilation[1] == 1 and op.dilation[0] == 1
    call = c_call(
        "wide_conv2d" if in_place else "wide_gathered", "x0", "y", *ARGUMENTS, *x.shape, *y.shape, kh, kw, *op.stride,
        *op.padding, *(() if in_place else op.dilation), bits, x.zero_point, *_results(graph, node, found),
    )  # fmt: skip
    scratch = bordered * (1 + CODE_BYTES) if in_place else _whole(bordered, 4) + 4 * window * (1 + CODE_BYTES)
    packed = Constant("weight", "int8_t", interleaved(weight.reshape(outputs, -1), bits, layout.run))
    kernels = (*_foundations(layout), "wide/dot", "wide/bordered", "wide/conv2d")
    return Call((call,), (packed, *found.constants), kernels, Needs(scratch, (-x.bytes,)))


def _matrix(graph: Graph, node: Node, weight: np.ndarray, layout: Layout) -> Call | None:
    """weight: (outputs, inputs); the rows of the input are all that is not its last axis."""
    found = _weighted(graph, node, weight, layout.offset)
    if found is None:
        return None
    outputs, inputs = weight.shape
    rows = prod(graph.type(node.inputs[0]).shape[:-1])
    bits = BITS[graph.type(node.inputs[1]).dtype]
    call = c_call(
        "wide_matrix", "x0", "y", *ARGUMENTS, rows, inputs, outputs, bits, *_results(graph, node, found)
    )
    codes = 4 * _whole(inputs, QUAD)
    scratch = codes * CODE_BYTES + (codes if inputs % QUAD else 0)
    packed = Constant("weight", "int8_t", interleaved(weight, bits, layout.run))
    needs = Needs(scratch, (_matrix_distance(rows, inputs, outputs),), inputs == outputs)
    kernels = (*_foundations(layout), "wide/dot", "wide/bordered", "wide/matrix")
    return Call((call,), (packed, *found.constants), kernels, needs)


def _matrix_distance(rows: int, inputs: int, outputs: int) -> int:
    """Four rows are encoded before theirs are written, and at the end one by one."""
    ends = [*range(4, rows, 4), *range(rows // 4 * 4 + 1, rows)]
    return max((end * (outputs - inputs) for end in ends), default=-rows * inputs)


def _depthwise(
    graph: Graph, node: Node, op: DepthwiseConv2d, weight: np.ndarray, layout: Layout
) -> Call | None:
    kh, kw, channels = weight.shape
    taps = weight.reshape(kh * kw, channels).T
    found = _weighted(graph, node, taps, 0)
    if found is None or weight.min() < -127:  # two products of -128 leave int16
        return None
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    call = c_call(
        "wide_depthwise_conv2d", "x0", "y", *ARGUMENTS, *x.shape, *y.shape[:2], kh, kw, *op.stride, *op.padding,
        *op.dilation, x.zero_point, *_results(graph, node, found),
    )  # fmt: skip
    packed = Constant("weight", "int8_t", _paired(taps))
    scratch = _bordered_bytes(x.shape, op.padding) + OCTET
    kernels = (*_foundations(layout), "wide/dot", "wide/bordered", "wide/depthwise_conv2d")
    return Call((call,), (packed, *found.constants), kernels, Needs(scratch, (-x.bytes,)))


def add(graph: Graph, node: Node, layout: Layout) -> Call | None:
    """Equal shapes only."""
    op = node.op
    assert isinstance(op, Add)
    a, b, y = kinds = [graph.type(n) for n in (*node.inputs, node.output)]
    if a.shape != b.shape or graph.constants(node) or any(kind.dtype != "int8" for kind in kinds):
        return None
    grid = bounds_of(y, op.activation)
    pairs = [(multiplier, -shift) for multiplier, shift in add_literals(a, b, y)]
    if any(right < 0 for _, right in pairs):
        return None
    call = c_call(
        "wide_sum_of_two", "x0", "x1", "y", y.elements, a.zero_point, *pairs[0], b.zero_point, *pairs[1], *pairs[2],
        grid.zero_point, grid.low, grid.high,
    )  # fmt: skip
    return Call((call,), (), (*_foundations(layout), "wide/add"))


def average_pool2d(graph: Graph, node: Node) -> Call | None:
    op = node.op
    assert isinstance(op, AveragePool2d)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    if x.dtype != "int8":
        return None
    top, _, left, _ = op.padding
    call = c_call(
        "wide_average_pool2d", "x0", "y", "scratch", *x.shape, *y.shape[:2], *op.kernel, *op.stride, top, left
    )
    return Call((call,), (), ("wide/average_pool2d",), Needs(4 * x.shape[-1]))


def max_pool2d(graph: Graph, node: Node) -> Call | None:
    op = node.op
    assert isinstance(op, MaxPool2d)
    x, y = graph.type(node.inputs[0]), graph.type(node.output)
    if x.dtype != "int8":
        return None
    top, _, left, _ = op.padding
    call = c_call(
        "wide_max_pool2d", "x0", "y", *x.shape, *y.shape[:2], *op.kernel, *op.stride, top, left, *op.dilation
    )
    return Call((call,), (), ("wide/max_pool2d",))


def interleaved(weight: np.ndarray, bits: int, run: int) -> np.ndarray:
    """(outputs, inputs) → bytes: by 8 outputs, by `run` inputs, 8 × run codes; those of a byte lie run · bits apart."""
    outputs, inputs = (_whole(n, unit) for n, unit in zip(weight.shape, (OCTET, QUAD), strict=True))
    blocks = _filled(weight, outputs, inputs).reshape(outputs // OCTET, OCTET, inputs // run, run)
    fields = blocks.transpose(0, 2, 1, 3).reshape(-1, 8 // bits, run * bits)
    shifted = (fields.astype(np.int64) & ((1 << bits) - 1)) << (bits * np.arange(8 // bits))[:, None]
    return shifted.sum(1).astype(np.uint8).view(np.int8).reshape(-1)


def _paired(taps: np.ndarray) -> np.ndarray:
    """(channels, taps) → bytes: by 8 channels, by 2 taps, 8 pairs."""
    channels, pairs = -(-taps.shape[0] // OCTET), -(-taps.shape[1] // 2)
    blocks = _filled(taps, channels * OCTET, pairs * 2).reshape(channels, OCTET, pairs, 2)
    return blocks.transpose(0, 2, 1, 3).reshape(-1).astype(np.int8)


def _filled(matrix: np.ndarray, rows: int, columns: int) -> np.ndarray:
    return np.pad(matrix, ((0, rows - matrix.shape[0]), (0, columns - matrix.shape[1])))


def _weighted(graph: Graph, node: Node, weight: np.ndarray, offset: int) -> Requantization | None:
    """weight: (outputs, inputs of one output). None for wider activations, or where a sum might overflow."""
    x, w, y = (graph.type(n) for n in (node.inputs[0], node.inputs[1], node.output))
    if x.dtype != "int8" or y.dtype != "int8":
        return None
    codes = weight.astype(np.int64)
    bias = graph.constant(node.inputs[2]).astype(np.int64) - (x.zero_point + offset) * codes.sum(1)
    weighed = scales_float64(x) if node.op.weighed_scale is None else node.op.weighed_scale
    real = weighed * scales_float64(w) / scales_float64(y)
    multiplier, exponent = quantize_multiplier(np.broadcast_to(real, bias.shape))
    reach = np.abs(bias) + (128 + offset) * np.abs(codes).sum(1)
    return _requantization(bias, multiplier, exponent, reach) if reach.max() <= INT32_MAX else None


def _requantization(
    bias: np.ndarray, multiplier: np.ndarray, exponent: np.ndarray, reach: np.ndarray
) -> Requantization:
    """reach: the largest magnitude that each sum can have."""
    bias, multiplier, exponent, reach = (
        np.pad(a, (0, -len(a) % OCTET)) for a in (bias, multiplier, exponent, reach)
    )
    # an output that always rounds to 0 may as well be multiplied by 0, and asks for no shift of its own
    alive = (multiplier > 0) & ((reach * (multiplier / 2.0**31) + 1) * 2.0**exponent >= 0.5)
    fits = {shift: _octets_that_fit(shift, alive, multiplier, exponent, reach) for shift in SHIFTS}
    shift = max(SHIFTS, key=lambda s: fits[s].sum())
    fitting = np.repeat(fits[shift], OCTET)
    factor = np.where(alive, np.int64(1) << np.clip(shift + exponent, 0, MOST_PLACES), 1)
    constants = (
        Constant("bias", "int32_t", bias),
        Constant("multiplier", "int32_t", np.where(alive | ~fitting, multiplier, 0)),
        Constant("factor", "int16_t", np.where(fitting, factor, exponent - EXPONENT)),
    )
    return Requantization(constants, shift, int((factor[fitting] != 1).any()) if fitting.all() else 2)


def _octets_that_fit(
    shift: int, alive: np.ndarray, multiplier: np.ndarray, exponent: np.ndarray, reach: np.ndarray
) -> np.ndarray:
    """Whether the factors 2^(shift + exponent) bring all eight outputs to this shift without an overflow."""
    places = shift + exponent
    largest = (reach * (multiplier / 2.0**31) + 2) * 2.0**places + 2.0**shift
    fits = (exponent < 0) & (places >= 0) & (places <= MOST_PLACES) & (largest <= INT32_MAX)
    return np.asarray((fits | ~alive).reshape(-1, OCTET).all(1))


def _results(graph: Graph, node: Node, found: Requantization) -> tuple[int, ...]:
    """The last arguments of every layer with weights."""
    grid = bounds_of(graph.type(node.output), node.op.activation)  # type: ignore[attr-defined]
    is_signed = grid.low < grid.zero_point
    return found.shift, found.factors, int(is_signed), grid.zero_point, grid.low, grid.high


def _foundations(layout: Layout) -> tuple[str, ...]:
    return ("requantize", f"{layout.isa}/primitives", "wide/primitives")


def _bordered_bytes(shape: tuple[int, ...], padding: tuple[int, int, int, int]) -> int:
    top, bottom, left, right = padding
    return (top + shape[0] + bottom) * (left + shape[1] + right) * shape[2]


def _whole(count: int, unit: int) -> int:
    return -(-count // unit) * unit

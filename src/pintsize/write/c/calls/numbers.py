"""Numbers that calls share: grids, factors, and the constants of a layer with weights."""

from __future__ import annotations

import numpy as np

from pintsize.arithmetic import ADD_LEFT_SHIFT, Bounds, Grid, add_reals, one_factor, pack, quantize_multiplier
from pintsize.deferred import torch
from pintsize.graph import BITS, Graph, Node, TensorType
from pintsize.ops.broadcast import spread
from pintsize.write.c.calls.call import Constant


def grid_of(kind: TensorType) -> Grid:
    return Grid.of(torch.tensor(kind.scale[0], dtype=torch.float32), kind.zero_point, kind.code_bits)


def bounds_of(kind: TensorType, activation: str = "none") -> Bounds:
    """The codes that a fused activation leaves."""
    return Bounds.of(kind.scale[0], kind.zero_point, kind.code_bits, activation)


def factor(real: float) -> tuple[int, int]:
    """(multiplier, shift) literals of one requantization factor."""
    return one_factor(real)


def scales_float64(kind: TensorType) -> np.ndarray:
    return np.array(kind.scale, np.float32).astype(np.float64)


def add_literals(
    a: TensorType, b: TensorType, y: TensorType, shift: int = ADD_LEFT_SHIFT
) -> tuple[tuple[int, int], ...]:
    """(multiplier, shift) of both addends and of their sum."""
    of_a, of_b, of_y = (float(scales_float64(kind)[0]) for kind in (a, b, y))
    return tuple(factor(real) for real in add_reals(of_a, of_b, of_y, shift)[:3])


def weighted(graph: Graph, node: Node, output_axis: int) -> tuple[tuple[Constant, ...], int, Bounds]:
    """The constants of a layer with weights, the weights' width, and what codes its activation leaves."""
    x, w, y = graph.type(node.inputs[0]), graph.type(node.inputs[1]), graph.type(node.output)
    codes = graph.constant(node.inputs[1])
    bits = BITS[w.dtype]
    others = tuple(a for a in range(codes.ndim) if a != output_axis)
    bias = graph.constant(node.inputs[2]).astype(np.int64) - x.zero_point * codes.astype(np.int64).sum(others)
    weighed = scales_float64(x) if node.op.weighed_scale is None else node.op.weighed_scale
    real = weighed * scales_float64(w) / scales_float64(y)
    multiplier, shift = quantize_multiplier(np.broadcast_to(real, bias.shape))
    constants = (
        Constant("weight", "int8_t", pack(codes, bits).view(np.int8).reshape(-1)),
        Constant("bias", "int32_t", bias),
        Constant("multiplier", "int32_t", multiplier),
        Constant("shift", "int8_t", shift),
    )
    return constants, bits, bounds_of(y, getattr(node.op, "activation", "none"))


def operands(graph: Graph, node: Node) -> tuple[tuple[str, ...], tuple[Constant, ...]]:
    """A pointer per input, and the constants among them as arrays of codes."""
    pointers: list[str] = []
    constants: list[Constant] = []
    for name in node.inputs:
        if graph.tensors[name].is_constant:
            own = f"operand{len(constants) or ''}"
            pointers.append(f"{{{own}}}")
            ctype = "int16_t" if graph.type(name).dtype == "int16" else "int8_t"
            constants.append(Constant(own, ctype, graph.constant(name).reshape(-1)))
        else:
            pointers.append(f"x{len(pointers) - len(constants)}")
    return tuple(pointers), tuple(constants)


def walk(a: TensorType, b: TensorType) -> tuple[int, ...]:
    """Extents of the output of two operands, the strides of the first, those of the second."""
    found = spread(a.shape, b.shape)
    return *found.extents, *found.a_strides, *found.b_strides


WEIGHTS = ("{weight}", "{bias}", "{multiplier}", "{shift}")

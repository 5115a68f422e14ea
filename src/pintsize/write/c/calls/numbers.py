"""Numbers that calls share: grids, factors, and the constants of a layer with weights."""

from __future__ import annotations

import numpy as np
import torch

from pintsize.arithmetic import Grid, pack, quantize_multiplier
from pintsize.graph import BITS, Graph, Node, TensorType
from pintsize.write.c.calls.call import Constant


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

"""Grids and codes of recurrent layers: their constants, and the scales of states within them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from pintsize.arithmetic import quantize_bias, quantize_weight
from pintsize.compress.weight_scales import weight_scales
from pintsize.errors import UserError
from pintsize.graph import BITS, DType, Graph, Node, Tensor, TensorType
from pintsize.module import run_float
from pintsize.ops.recurrent import Recurrent

#: from a sum of products to what is made of it: a legal graph stays below 2^30
LARGEST_FACTOR = 2.0**29
#: the same of int16 activations, below 2^7
LARGEST_FACTOR_INT16 = 2.0**6


def fit_inner_ranges(graph: Graph, samples: np.ndarray, batch: int = 128) -> Graph:
    """The float Graph whose recurrent layers' inner scales suit samples (n, *input shape)."""
    nodes = [n for n in graph.nodes if isinstance(n.op, Recurrent)]
    if not nodes:
        return graph
    largest = dict.fromkeys((n.name for n in nodes), 0.0)

    def observe(name: str, value: torch.Tensor) -> None:
        for node in nodes:
            if node.inputs[0] == name:
                assert isinstance(node.op, Recurrent)
                constants = [
                    torch.from_numpy(np.ascontiguousarray(graph.constant(c))) for c in node.inputs[1:]
                ]
                largest[node.name] = max(largest[node.name], node.op.inner_range([value, *constants]))

    with torch.no_grad():
        for start in range(0, len(samples), batch):
            run_float(graph, torch.from_numpy(np.ascontiguousarray(samples[start : start + batch])), observe)
    return replace(graph, nodes=tuple(_fitted(n, largest) for n in graph.nodes))


def _fitted(node: Node, largest: dict[str, float]) -> Node:
    return (
        replace(node, op=node.op.with_inner_range(largest[node.name]))
        if isinstance(node.op, Recurrent)
        else node
    )


def recurrent_grids(
    graph: Graph,
    node: Node,
    dtype: DType,
    grid: Callable[[str], tuple[float, int]],
    activation_bits: int = 8,
) -> list[Tensor]:
    """The node's constants with their types. dtype: of the weights; grid: (scale, zero point) of an activation.

    Raises UserError where the input is so large that one product saturates.
    """
    op = node.op
    assert isinstance(op, Recurrent)
    x, out = grid(node.inputs[0])[0], grid(node.output)[0]
    largest_factor = LARGEST_FACTOR if activation_bits == 8 else LARGEST_FACTOR_INT16
    scales: dict[int, np.ndarray] = {}
    changed: list[Tensor] = []
    for index, axis in op.weight_axes.items():
        weight = graph.tensors[node.inputs[index]]
        kind = "int16" if index in op.wide_weights else dtype
        scales[index] = _scale(graph, node, index, BITS[kind], op.weighed(index, x, out))
        changed.append(
            replace(weight, type=TensorType(weight.type.shape, kind, _tuple(scales[index]), 0, axis))
        )
        factor = op.weighed(index, x, out) * scales[index].max() / op.requantized_to(index, out)
        if factor > largest_factor:
            raise UserError(f"{node.name} at {node.source or 'an unknown place'}: its input is too large for its "
                            f"weights (a factor of {factor:.3g}); normalize it in the model")  # fmt: skip
    for index, weight in op.biases.items():
        bias = graph.tensors[node.inputs[index]]
        changed.append(replace(bias, type=_bias_type(bias, scales[weight], op.weighed(weight, x, out))))
    return changed


def _scale(graph: Graph, node: Node, index: int, bits: int, weighed: float) -> np.ndarray:
    """float32 scales of a weight, no finer than its bias allows."""
    op = node.op
    assert isinstance(op, Recurrent)
    axis = op.weight_axes[index]
    least = np.zeros(1)
    for bias, weight in op.biases.items():
        if weight == index:
            sizes = np.abs(graph.constant(node.inputs[bias]).astype(np.float64))
            least = np.maximum(least, sizes.max(None if axis is None else 0) / (weighed * 2.0**29))
    return weight_scales(graph.constant(node.inputs[index]), axis, bits, least).astype(np.float32)


def _bias_type(bias: Tensor, weight_scale: np.ndarray, weighed: float) -> TensorType:
    scale = (weight_scale.astype(np.float64) * weighed).astype(np.float32)
    return TensorType(bias.type.shape, "int32", _tuple(scale), 0, None if len(scale) == 1 else 1)


def _tuple(scale: np.ndarray) -> tuple[float, ...]:
    return tuple(scale.tolist())


def frozen_constants(annotated: Graph, node: Node) -> list[Tensor]:
    """The node's constants as codes."""
    op = node.op
    assert isinstance(op, Recurrent)
    x, out = (float(np.float32(annotated.type(n).scale[0])) for n in (node.inputs[0], node.output))
    weights = [annotated.tensors[node.inputs[i]] for i in op.weight_axes]
    changed = [replace(w, data=recurrent_codes(w)) for w in weights]
    for index, weight in op.biases.items():
        bias = annotated.tensors[node.inputs[index]]
        assert bias.data is not None
        scale = np.array(annotated.type(node.inputs[weight]).scale, np.float32)
        weighed = op.weighed(weight, x, out)
        exact = torch.from_numpy(scale).double() * weighed
        codes = quantize_bias(torch.from_numpy(bias.data), exact).numpy().astype(np.int32)
        changed.append(Tensor(bias.name, _bias_type(bias, scale, weighed), codes))
    return changed


def recurrent_codes(weight: Tensor) -> np.ndarray:
    """The int8 codes of an annotated weight, or int16 ones."""
    assert weight.data is not None
    bits = BITS[weight.type.dtype]
    shape = [1] * weight.data.ndim
    shape[weight.type.axis or 0] = -1
    scale = torch.tensor(weight.type.scale, dtype=torch.float32).reshape(shape)
    codes = quantize_weight(torch.from_numpy(weight.data), scale, bits).numpy()
    return codes.astype(np.int16 if bits == 16 else np.int8)

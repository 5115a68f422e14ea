"""Walks an annotated Graph layer by layer, in real numbers and in integers side by side, and mends each layer.

A layer that is mended sees the integers of the layers before it, so it makes up for their errors too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from pintsize.arithmetic import Quantized, quantize
from pintsize.compress.quantize import frozen_layer
from pintsize.graph import Graph, Node, Tensor
from pintsize.module import float_step, integer_step
from pintsize.ops import Conv2d, DepthwiseConv2d, Linear, TransposeConv2d

#: samples that one node computes at once
AT_ONCE = 128
MENDED = (Conv2d, DepthwiseConv2d, Linear, TransposeConv2d)

#: (annotated Graph, layer, its inputs in the float network, in the integer one) → constants in place of the layer's own
Mend = Callable[[Graph, Node, torch.Tensor, torch.Tensor], Sequence[Tensor]]


def layer_by_layer(
    annotated: Graph, samples: np.ndarray, mend: Mend, on_layer: Callable[[int, int], None] | None = None
) -> Graph:
    """The annotated Graph with every layer of weights mended, first to last.

    samples: (n, *input shape), channels last. on_layer: called with (layers done, layers in all).
    """
    real = annotated
    first = annotated.inputs[0]
    kind = annotated.type(first)
    codes = quantize(samples, kind.scale[0], kind.zero_point, kind.code_bits).astype(np.float32)
    floats = {first: torch.from_numpy(np.ascontiguousarray(samples))}
    integers = {
        first: Quantized(
            torch.from_numpy(codes), torch.tensor(kind.scale[0]), kind.zero_point, kind.code_bits
        )
    }
    total, done = sum(isinstance(n.op, MENDED) for n in annotated.nodes), 0
    with torch.no_grad():
        for index, node in enumerate(annotated.nodes):
            if isinstance(node.op, MENDED):
                x = node.inputs[0]
                annotated = annotated.with_tensors(*mend(annotated, node, floats[x], integers[x].real()))
                done += 1
                if on_layer:
                    on_layer(done, total)
            frozen = annotated.with_tensors(*frozen_layer(annotated, node))
            floats[node.output] = _float_values(real, node, floats)
            integers[node.output] = _integer_values(frozen, node, integers)
            needed = {i for n in annotated.nodes[index + 1 :] for i in n.inputs}
            floats = {n: v for n, v in floats.items() if n in needed}
            integers = {n: v for n, v in integers.items() if n in needed}
    return annotated


def _float_values(graph: Graph, node: Node, values: Mapping[str, torch.Tensor]) -> torch.Tensor:
    inputs = {i: values[i] for i in graph.activations(node)}
    parts = range(0, len(next(iter(inputs.values()))), AT_ONCE)
    return torch.cat(
        [float_step(graph, node, {i: v[p : p + AT_ONCE] for i, v in inputs.items()}) for p in parts]
    )


def _integer_values(graph: Graph, node: Node, values: Mapping[str, Quantized]) -> Quantized:
    inputs = {i: values[i] for i in graph.activations(node)}
    parts = range(0, len(next(iter(inputs.values())).q), AT_ONCE)
    found = [integer_step(graph, node, {i: _part(v, p) for i, v in inputs.items()}) for p in parts]
    return Quantized(torch.cat([f.q for f in found]), found[0].scale, found[0].zero_point, found[0].bits)


def _part(value: Quantized, start: int) -> Quantized:
    return Quantized(value.q[start : start + AT_ONCE], value.scale, value.zero_point, value.bits)

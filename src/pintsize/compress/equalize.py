"""Cross-layer equalization: neighbouring layers share out their channels' ranges.

Dividing an output channel by s and multiplying the next layer's input channel by s changes nothing in real numbers
(ReLU lets a positive factor through) but evens out what one scale per tensor must cover.
Source: Nagel et al., "Data-Free Quantization through Weight Equalization and Bias Correction", 2019.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from pintsize.graph import Graph, Node
from pintsize.ops import Conv2d, DepthwiseConv2d, Linear, TransposeConv2d

ROUNDS = 4
LARGEST_STEP = 16.0
LAYERS = (Conv2d, DepthwiseConv2d, Linear, TransposeConv2d)


def equalize(graph: Graph) -> Graph:
    """The folded float Graph with the same meaning and evener channel ranges."""
    for _ in range(ROUNDS):
        for first, second in _pairs(graph):
            graph = _equalize_pair(graph, first, second)
    return graph


def _pairs(graph: Graph) -> Iterator[tuple[Node, Node]]:
    """Layers of weights that feed exactly one other, with nothing but ReLU between."""
    for node in graph.nodes:
        consumers = graph.consumers(node.output)
        lonely = len(consumers) == 1 and node.output not in graph.outputs
        if lonely and _scales_through(node) and isinstance(consumers[0].op, LAYERS):
            yield node, consumers[0]


def _scales_through(node: Node) -> bool:
    op = node.op
    return isinstance(op, LAYERS) and op.activation in ("none", "relu")


def _equalize_pair(graph: Graph, first: Node, second: Node) -> Graph:
    w1, b1, w2 = (graph.constant(n) for n in (first.inputs[1], first.inputs[2], second.inputs[1]))
    own_axis = 2 if isinstance(first.op, DepthwiseConv2d) else 0
    width = w1.shape[own_axis]
    reach1 = np.abs(w1).max(tuple(i for i in range(w1.ndim) if i != own_axis))
    folded = np.abs(w2).reshape(-1, width, w2.shape[-1] // width).max((0, 2))
    alive = (reach1 > 0) & (folded > 0)
    step = np.sqrt(np.where(alive, reach1, 1.0) / np.where(alive, folded, 1.0))
    step = np.clip(step / np.exp(np.log(step).mean()), 1 / LARGEST_STEP, LARGEST_STEP).astype(np.float32)
    step = np.where(alive, step, np.float32(1.0))
    shape = [1] * w1.ndim
    shape[own_axis] = -1
    new = {
        first.inputs[1]: w1 / step.reshape(shape),
        first.inputs[2]: b1 / step,
        second.inputs[1]: w2 * np.repeat(step, w2.shape[-1] // width),
    }
    tensors = [replace(graph.tensors[n], data=d.astype(np.float32)) for n, d in new.items()]
    return graph.with_tensors(*tensors)

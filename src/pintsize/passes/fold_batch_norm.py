"""Removes batch norms: into the weights before them, into the softmax behind, or as a 1×1 depthwise convolution."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from pintsize.graph import Graph, Node, rebuild
from pintsize.ops import BatchNorm, Conv2d, DepthwiseConv2d, Linear, Reshape, Softmax, TransposeConv2d
from pintsize.passes.neighbours import constant, free_name, only_consumer, own_constant, replaced

#: the weight's axis that holds the output channels
OUTPUT_AXIS: dict[type, int] = {Conv2d: 0, DepthwiseConv2d: 2, Linear: 0, TransposeConv2d: 0}


def fold_batch_norm(graph: Graph) -> Graph:
    """The same function without batch norms, computed in float64 and rounded once to float32."""
    while (node := next((n for n in graph.nodes if isinstance(n.op, BatchNorm)), None)) is not None:
        producer = graph.producer(node.inputs[0])
        if producer is not None and _can_take(graph, producer):
            graph = _into_producer(graph, node, producer)
        elif (softmax := _softmax_behind(graph, node)) is not None:
            graph = _into_softmax(graph, node, softmax)
        else:
            graph = _as_depthwise(graph, node)
    return graph


def _can_take(graph: Graph, producer: Node) -> bool:
    op = producer.op
    if not isinstance(op, Conv2d | DepthwiseConv2d | Linear | TransposeConv2d) or op.activation != "none":
        return False
    weights_are_constant = len(graph.activations(producer)) == 1
    return weights_are_constant and only_consumer(graph, producer.output) is not None


def _factors(graph: Graph, node: Node) -> tuple[np.ndarray, np.ndarray]:
    """(factor, offset) per channel, float64: out = in · factor + offset."""
    gain, bias, mean, variance = (graph.constant(c).astype(np.float64) for c in node.inputs[1:])
    epsilon = node.op.epsilon if isinstance(node.op, BatchNorm) else 0.0
    factor = gain / np.sqrt(variance + epsilon)
    return factor, bias - mean * factor


def _into_producer(graph: Graph, node: Node, producer: Node) -> Graph:
    factor, offset = _factors(graph, node)
    x, weight, bias = producer.inputs
    axes = [1] * len(graph.type(weight).shape)
    axes[OUTPUT_AXIS[type(producer.op)]] = -1
    new_weight = own_constant(graph, producer, weight, graph.constant(weight) * factor.reshape(axes))
    new_bias = own_constant(graph, producer, bias, graph.constant(bias) * factor + offset)
    folded = replace(producer, inputs=(x, new_weight.name, new_bias.name), output=node.output)
    nodes = replaced(graph, {producer: (folded,), node: ()})
    return rebuild(graph, nodes, {new_weight.name: new_weight, new_bias.name: new_bias})


def _softmax_behind(graph: Graph, node: Node) -> Node | None:
    """The softmax that alone reads the batch norm, where that scales and shifts all channels alike (attention)."""
    reader = only_consumer(graph, node.output)
    factor, offset = _factors(graph, node)
    alike = np.ptp(factor) == 0 and np.ptp(offset) == 0 and factor[0] > 0
    return reader if reader is not None and isinstance(reader.op, Softmax) and alike else None


def _into_softmax(graph: Graph, node: Node, softmax: Node) -> Graph:
    """What is added to all channels alike changes nothing."""
    assert isinstance(softmax.op, Softmax)
    op = replace(softmax.op, beta=softmax.op.beta * float(_factors(graph, node)[0][0]))
    scaled = replace(softmax, op=op, inputs=node.inputs[:1])
    return rebuild(graph, replaced(graph, {node: (), softmax: (scaled,)}))


def _as_depthwise(graph: Graph, node: Node) -> Graph:
    factor, offset = _factors(graph, node)
    weight = constant(free_name(graph, f"{node.name}.factor"), factor.reshape(1, 1, -1))
    bias = constant(free_name(graph, f"{node.name}.offset"), offset)
    work = replace(node, op=DepthwiseConv2d(), inputs=(node.inputs[0], weight.name, bias.name))
    nodes = replaced(graph, {node: _around(graph, work, graph.type(node.output).shape)})
    return rebuild(graph, nodes, {weight.name: weight, bias.name: bias})


def _around(graph: Graph, work: Node, shape: tuple[int, ...]) -> tuple[Node, ...]:
    """The node, between two reshapes where the tensor is not an image."""
    if len(shape) == 3:
        return (work,)
    before, after = (free_name(graph, f"{work.name}.{word}") for word in ("image", "convolved"))
    return (
        Node(before, Reshape((1, prod(shape[:-1]), -1)), work.inputs[:1], before, work.source),
        replace(work, name=after, inputs=(before, *work.inputs[1:]), output=after),
        Node(work.name, Reshape((*shape[:-1], -1)), (after,), work.output, work.source),
    )

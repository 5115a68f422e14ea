"""Moves ReLU and ReLU6 into the op that makes their input: there they cost nothing."""

from __future__ import annotations

from dataclasses import replace

from pintsize.graph import Graph, Node, rebuild
from pintsize.ops import (
    Add,
    Conv2d,
    DepthwiseConv2d,
    Linear,
    MaxPool2d,
    Mul,
    Relu,
    Relu6,
    Reshape,
    Sub,
    Transpose,
    TransposeConv2d,
)
from pintsize.ops.activation import Activation
from pintsize.passes.neighbours import only_consumer, replaced

ACTIVATIONS: dict[type, Activation] = {Relu: "relu", Relu6: "relu6"}
TAKES = (Conv2d, DepthwiseConv2d, Linear, TransposeConv2d, Add, Sub, Mul)
#: a rising function may be applied before these as well as after
COMMUTES = (Reshape, Transpose, MaxPool2d)


def fuse_activation(graph: Graph) -> Graph:
    """The same function with fewer nodes."""
    for node in graph.nodes:
        activation = ACTIVATIONS.get(type(node.op))
        path = None if activation is None else _path(graph, node)
        if activation is not None and path:
            graph = _fused(graph, node, activation, path)
    return graph


def _path(graph: Graph, node: Node) -> list[Node] | None:
    """From the node before back to the one that can take the activation; None when nothing can."""
    path: list[Node] = []
    while (before := graph.producer(node.inputs[0])) is not None:
        if only_consumer(graph, before.output) is None:
            return None
        path.append(before)
        if isinstance(before.op, TAKES):
            return path if before.op.activation == "none" else None
        if not isinstance(before.op, COMMUTES):
            return None
        node = before
    return None


def _fused(graph: Graph, node: Node, activation: Activation, path: list[Node]) -> Graph:
    changes: dict[Node, tuple[Node, ...]] = {node: ()}
    taker = path[-1]
    if isinstance(taker.op, TAKES):
        changes[taker] = (replace(taker, op=replace(taker.op, activation=activation)),)
    last = changes.get(path[0], (path[0],))[0]
    changes[path[0]] = (replace(last, output=node.output),)
    return rebuild(graph, replaced(graph, changes))

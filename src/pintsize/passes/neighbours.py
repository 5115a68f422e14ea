"""Who makes and who reads a tensor, for the passes that rewrite nodes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pintsize.graph import Graph, Node, Tensor, TensorType


def only_consumer(graph: Graph, tensor: str) -> Node | None:
    """The one node that reads the tensor; None when there are others or it is an output of the graph."""
    consumers = graph.consumers(tensor)
    if tensor in graph.outputs or len(consumers) != 1:
        return None
    return consumers[0]


def replaced(graph: Graph, changes: Mapping[Node, tuple[Node, ...]]) -> tuple[Node, ...]:
    """The graph's nodes, with those that are keys of `changes` replaced by their value, in place."""
    return tuple(new for node in graph.nodes for new in changes.get(node, (node,)))


def own_constant(graph: Graph, node: Node, tensor: str, data: np.ndarray) -> Tensor:
    """New float32 numbers for a node's constant: under its name, or a new one where others read it too."""
    name = tensor if graph.consumers(tensor) == (node,) else free_name(graph, f"{node.name}.{tensor}")
    return constant(name, data)


def constant(name: str, data: np.ndarray) -> Tensor:
    """A float32 constant."""
    data = np.ascontiguousarray(data, np.float32)
    return Tensor(name, TensorType(data.shape), data)


def free_name(graph: Graph, name: str) -> str:
    """The name, with a number where the graph has it already."""
    taken = graph.tensors.keys() | {n.name for n in graph.nodes}
    return next(c for c in (name, *(f"{name}_{i}" for i in range(2, len(taken) + 3))) if c not in taken)

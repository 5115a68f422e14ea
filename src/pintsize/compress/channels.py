"""Which channels live and die together, found by letting identities flow through the Graph.

Every layer with weights makes new channels; elementwise ops, pools and depthwise layers pass them on; a residual add
unites both sides; a concat puts them side by side; a flatten repeats them. What the program's input and output
hold must stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pintsize.graph import Channels, Graph


class ChannelFlow(Channels):
    """Union-find over channel identities, and where each identity sits in the constants."""

    def __init__(self) -> None:
        self._parent: list[int] = []
        self._kept: list[int] = []
        self.slices: dict[tuple[str, int], np.ndarray] = {}

    def new(self, count: int) -> np.ndarray:
        first = len(self._parent)
        self._parent.extend(range(first, first + count))
        return np.arange(first, first + count)

    def unite(self, a: np.ndarray, b: np.ndarray) -> None:
        for i, j in zip(a.tolist(), b.tolist(), strict=True):
            self._parent[self.find(i)] = self.find(j)

    def keep(self, ids: np.ndarray) -> None:
        self._kept.extend(ids.tolist())

    def slice(self, constant: str, axis: int, ids: np.ndarray) -> None:
        known = self.slices.setdefault((constant, axis), ids)
        if known is not ids:  # one constant, read by two layers
            self.unite(known, ids)

    def find(self, i: int) -> int:
        while self._parent[i] != i:
            self._parent[i] = self._parent[self._parent[i]]
            i = self._parent[i]
        return i

    def roots(self, ids: np.ndarray) -> np.ndarray:
        return np.array([self.find(i) for i in ids.tolist()], dtype=np.int64)

    @property
    def kept(self) -> set[int]:
        return {self.find(i) for i in self._kept}


@dataclass(frozen=True)
class Group:
    """Channels of one width: pruning keeps some of them everywhere they occur.

    channels: identities; layers: the nodes whose outputs they are.
    """

    channels: tuple[int, ...]
    layers: tuple[str, ...]


@dataclass(frozen=True)
class ChannelMap:
    """The groups that may shrink, and the identity of every position of every constant's axes and of every tensor."""

    groups: tuple[Group, ...]
    slices: dict[tuple[str, int], np.ndarray]
    tensors: dict[str, np.ndarray]


def map_channels(graph: Graph) -> ChannelMap:
    """Follows the channels of a Graph at any float stage."""
    flow = ChannelFlow()
    tensors = {graph.inputs[0]: flow.new(graph.type(graph.inputs[0]).shape[-1])}
    flow.keep(tensors[graph.inputs[0]])
    for node in graph.nodes:
        inputs = [tensors[i] for i in graph.activations(node)]
        if node.op.operands:
            inputs = [tensors[i] if i in tensors else _operand(graph, i, flow) for i in node.inputs]
        shapes = [graph.type(i).shape for i in node.inputs]
        tensors[node.output] = node.op.channels(node, inputs, shapes, flow)
    flow.keep(tensors[graph.outputs[0]])
    slices = {key: flow.roots(ids) for key, ids in flow.slices.items()}
    roots = {name: flow.roots(ids) for name, ids in tensors.items()}
    return ChannelMap(_groups(graph, slices, flow.kept), slices, roots)


def _operand(graph: Graph, name: str, flow: ChannelFlow) -> np.ndarray:
    """Identities of a constant's last axis, to be united with those of what it meets."""
    shape = graph.type(name).shape
    ids = flow.new(shape[-1] if shape else 1)
    if shape:
        flow.slice(name, len(shape) - 1, ids)
    return ids


def _groups(graph: Graph, slices: dict[tuple[str, int], np.ndarray], kept: set[int]) -> tuple[Group, ...]:
    """Identities made by the same layers form a group; in the order of the layers."""
    makers: dict[int, list[str]] = {}
    for node in graph.nodes:
        if (
            node.op.activations == 1
            and (node.inputs[1], 0) in slices
            and graph.type(node.inputs[1]).shape[1:]
        ):
            for root in dict.fromkeys(slices[node.inputs[1], 0].tolist()):
                makers.setdefault(root, []).append(node.name)
    members: dict[tuple[str, ...], list[int]] = {}
    for root, layers in makers.items():
        if root not in kept:
            members.setdefault(tuple(layers), []).append(root)
    return tuple(Group(tuple(channels), layers) for layers, channels in members.items())

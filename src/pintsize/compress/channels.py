"""Which channels live and die together, found by letting identities flow through the Graph.

Every layer with weights makes new channels; elementwise ops, pools and depthwise layers pass them on; a residual add
unites both sides; a concat puts them side by side; a flatten repeats them. What the program's input and output
hold must stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pintsize.graph import Channels, Graph, Node


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
        self._kept.extend(ids.reshape(-1).tolist())

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
        found = [self.find(i) for i in ids.reshape(-1).tolist()]
        return np.array(found, dtype=np.int64).reshape(ids.shape)

    @property
    def kept(self) -> set[int]:
        return {self.find(i) for i in self._kept}


@dataclass(frozen=True)
class Group:
    """Channels of one width: pruning keeps some of them everywhere they occur.

    channels: identities; layers: the nodes whose outputs they are; unit: outputs of a layer that one identity stands
    for (an attention head is one channel here, as many outputs of its layers as the head is wide).
    """

    channels: tuple[int, ...]
    layers: tuple[str, ...]
    unit: int = 1


@dataclass(frozen=True)
class ChannelMap:
    """The groups that may shrink, and which identity each position along an axis has.

    slices: (constant, axis); tensors: activation, its last axis, where it is of channels; along: (activation, axis),
    which adds axes before the last, such as that of heads.
    """

    groups: tuple[Group, ...]
    slices: dict[tuple[str, int], np.ndarray]
    tensors: dict[str, np.ndarray]
    along: dict[tuple[str, int], np.ndarray]


def map_channels(graph: Graph) -> ChannelMap:
    """Follows the channels of a Graph at any float stage."""
    flow = ChannelFlow()
    tensors = {graph.inputs[0]: flow.new(graph.type(graph.inputs[0]).shape[-1])}
    flow.keep(tensors[graph.inputs[0]])
    for node in graph.nodes:
        read = node.inputs if node.op.operands else graph.activations(node)
        inputs = [
            _followed(node, tensors[i], graph.type(i).shape, flow)
            if i in tensors
            else _operand(graph, i, flow)
            for i in read
        ]
        shapes = [graph.type(i).shape for i in node.inputs]
        tensors[node.output] = node.op.channels(node, inputs, shapes, flow)
    flow.keep(tensors[graph.outputs[0]])
    slices = {key: flow.roots(ids) for key, ids in flow.slices.items()}
    roots = {name: flow.roots(ids) for name, ids in tensors.items()}
    channels = {name: ids for name, ids in roots.items() if ids.ndim == 1}
    along = {key: ids for name, all_ids in roots.items() for key, ids in _along(graph, name, all_ids).items()}
    return ChannelMap(_groups(graph, slices, flow.kept), slices, channels, along)


def _along(graph: Graph, name: str, ids: np.ndarray) -> dict[tuple[str, int], np.ndarray]:
    """The axes along which a position has one identity."""
    shape, found = graph.type(name).shape, {}
    for axis in range(ids.ndim):
        at = len(shape) - ids.ndim + axis
        each = np.moveaxis(ids, axis, 0).reshape(ids.shape[axis], -1)
        if ids.shape[axis] == shape[at] and (each == each[:, :1]).all():
            found[name, at] = each[:, 0]
    return found


def _followed(node: Node, ids: np.ndarray, shape: tuple[int, ...], flow: ChannelFlow) -> np.ndarray:
    """Identities as the op understands them: where it knows channels alone, those along earlier axes stay."""
    if ids.ndim == 1 or node.op.follows_axes:
        return ids
    flow.keep(ids)
    return np.broadcast_to(ids, shape[-ids.ndim :]).reshape(-1, shape[-1])[0]


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
    return tuple(
        Group(tuple(channels), layers, _unit(graph, slices, layers[0], channels))
        for layers, channels in members.items()
    )


def _unit(graph: Graph, slices: dict[tuple[str, int], np.ndarray], layer: str, channels: list[int]) -> int:
    weight = next(n.inputs[1] for n in graph.nodes if n.name == layer)
    return max(int((slices[weight, 0] == channel).sum()) for channel in channels)

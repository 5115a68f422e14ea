"""The network as it would be with fewer channels, narrower weights or without a branch, before anything is trained.

Costs do not depend on what the weights say, so the whole network is quantized once and cut for every question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from pintsize.compress.channels import ChannelMap, Group, map_channels
from pintsize.compress.quantize import WEIGHT_DTYPES, Bits, output_axis, own_constants
from pintsize.graph import Graph, Node, Tensor
from pintsize.ops.recurrent import Recurrent

#: narrow codes reach so far, as a share of the largest weight: about where the squared error is least
CLIPPED: Mapping[Bits, float] = {4: 0.75, 2: 0.4}


@dataclass(frozen=True)
class Allocation:
    """How many channels each group keeps (by its first layer's name), the bits of each layer's weights, and what is
    dropped: (add, input that stays).
    """

    widths: Mapping[str, int]
    bits: Mapping[str, Bits]
    dropped: tuple[tuple[str, int], ...] = ()

    def __hash__(self) -> int:
        return hash((tuple(self.widths.items()), tuple(self.bits.items()), self.dropped))


def weighted_layers(graph: Graph) -> list[Node]:
    """The layers whose weights may have 8, 4 or 2 bits."""
    layers = [n for n in graph.nodes if n.op.activations == 1 and not n.op.operands]
    return [n for n in layers if isinstance(n.op, Recurrent) or len(graph.constants(n)) == 2]


def narrowed_weights(graph: Graph, node: Node) -> dict[str, int | None]:
    """The weights that have a layer's bits, and the axis along which each slice has a scale (None: one for all)."""
    op = node.op
    if isinstance(op, Recurrent):
        return {node.inputs[i]: axis for i, axis in op.weight_axes.items() if i not in op.wide_weights}
    return {node.inputs[1]: output_axis(graph.tensors[node.inputs[1]])}


@dataclass(frozen=True)
class Outline:
    """integer: the whole network in 8 bits; flow: its channels, by the names of its constants.

    sources: group → the name by which allocations know its width: where branches are dropped, groups fall apart.
    """

    integer: Graph
    flow: ChannelMap
    groups: Mapping[str, Group]
    sources: Mapping[str, str]
    layers: tuple[str, ...]
    touched: Mapping[str, tuple[str, ...]]
    cuts: dict[tuple[object, ...], Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, folded: Graph, integer: Graph, whole: Outline | None = None) -> Outline:
        """folded: the float Graph that `integer` was quantized from; whole: the outline with all branches."""
        own = own_constants(folded)
        flow = map_channels(own)
        groups = {g.layers[0]: g for g in flow.groups}
        layers = tuple(n.name for n in weighted_layers(own))
        names = {layer: name for name, g in (whole.groups if whole else groups).items() for layer in g.layers}
        sources = {name: names[group.layers[0]] for name, group in groups.items()}
        return cls(integer, flow, groups, sources, layers, _touched(flow, groups, sources, integer))

    def full(self) -> Allocation:
        """Every channel, 8 bits."""
        return Allocation({n: len(g.channels) for n, g in self.groups.items()}, dict.fromkeys(self.layers, 8))

    def at(self, allocation: Allocation) -> Graph:
        """The integer Graph of this allocation; which channels stay is as good as any."""
        bits: dict[str, Bits] = {
            weight: allocation.bits[node.name]
            for node in self.integer.nodes
            if node.name in allocation.bits
            for weight in narrowed_weights(self.integer, node)
        }
        tensors = {
            name: self._cut(tensor, allocation.widths, bits.get(name, 8))
            for name, tensor in self.integer.tensors.items()
        }
        return replace(self.integer, tensors=tensors)

    def _cut(self, tensor: Tensor, widths: Mapping[str, int], bits: Bits) -> Tensor:
        key = (tensor.name, bits, *(widths[n] for n in self.touched[tensor.name]))
        if key not in self.cuts:
            self.cuts[key] = _narrowed(_without(tensor, self._stays(tensor, widths)), bits)
        return self.cuts[key]

    def _stays(self, tensor: Tensor, widths: Mapping[str, int]) -> dict[int, np.ndarray]:
        """Axis → which of its positions stay."""
        places = self.flow.along if tensor.data is None else self.flow.slices
        gone = [c for name, g in self.groups.items() for c in g.channels[widths[self.sources[name]] :]]
        found: dict[int, np.ndarray] = {}
        for axis, extent in enumerate(tensor.type.shape):
            ids = places.get((tensor.name, axis))
            if ids is not None and len(ids) == extent:
                found[axis] = ~np.isin(ids, gone)
        return found


def _touched(
    flow: ChannelMap, groups: Mapping[str, Group], sources: Mapping[str, str], graph: Graph
) -> dict[str, tuple[str, ...]]:
    """Tensor → the widths that change it."""
    owner = {c: sources[name] for name, group in groups.items() for c in group.channels}
    found: dict[str, dict[str, None]] = {name: {} for name in graph.tensors}
    for (name, _), ids in (*flow.slices.items(), *flow.along.items()):
        if name in found:
            found[name] |= {owner[i]: None for i in dict.fromkeys(ids.tolist()) if i in owner}
    return {name: tuple(names) for name, names in found.items()}


def _without(tensor: Tensor, stays: Mapping[int, np.ndarray]) -> Tensor:
    shape, scale, data = list(tensor.type.shape), tensor.type.scale, tensor.data
    for axis, stay in stays.items():
        shape[axis] = int(stay.sum())
        data = None if data is None else data.compress(stay, axis)
        if tensor.type.axis == axis and len(scale) == len(stay):
            scale = tuple(s for s, alive in zip(scale, stay.tolist(), strict=True) if alive)
    return replace(tensor, type=replace(tensor.type, shape=tuple(shape), scale=scale), data=data)


def _narrowed(weight: Tensor, bits: Bits) -> Tensor:
    """8-bit codes as narrower ones."""
    if bits == 8 or weight.data is None:
        return weight
    most = 2 ** (bits - 1) - 1
    step = 127 / most * CLIPPED[bits]
    codes = np.clip(np.rint(weight.data / step), -most, most).astype(weight.data.dtype)
    scale = tuple(s * step for s in weight.type.scale)
    return replace(weight, data=codes, type=replace(weight.type, dtype=WEIGHT_DTYPES[bits], scale=scale))

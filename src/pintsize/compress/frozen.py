"""Layers that stay as the user made them: neither trained nor narrowed."""

from __future__ import annotations

from collections.abc import Collection

from pintsize.compress.channels import map_channels
from pintsize.errors import UserError
from pintsize.graph import Graph
from pintsize.ops import BatchNorm


def frozen_nodes(graph: Graph, layers: Collection[str]) -> frozenset[str]:
    """The nodes of these layers, with the batch norm behind each, which is folded into it later.

    Raises UserError for a name that is no layer with weights.
    """
    there = {n.name: n for n in graph.nodes if graph.constants(n) and not isinstance(n.op, BatchNorm)}
    unknown = sorted(set(layers) - set(there))
    if unknown:
        raise UserError(f"no layer with weights is named {unknown}; there are {sorted(there)}")
    found = set(layers)
    for name in layers:
        readers = graph.consumers(there[name].output)
        found |= {n.name for n in readers if isinstance(n.op, BatchNorm)}
    return frozenset(found)


def whole_widths(graph: Graph, layers: Collection[str]) -> dict[str, float]:
    """layer → 1.0 for every layer whose channels sit in a frozen layer's weights, as its outputs or its inputs."""
    nodes = frozen_nodes(graph, layers)
    constants = {c for n in graph.nodes if n.name in nodes for c in graph.constants(n)}
    flow = map_channels(graph)
    held = {int(i) for (name, _), ids in flow.slices.items() if name in constants for i in ids}
    return {layer: 1.0 for g in flow.groups if held & set(g.channels) for layer in g.layers}

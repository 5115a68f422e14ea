"""Structured pruning: whole channels are removed, and every array that held them becomes smaller.

A width per group says how much stays; a criterion says which channels. Widths are kept at multiples of the device's
alignment and above a floor, so that no layer collapses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil, gcd

from pintsize.compress.channels import ChannelMap, Group, map_channels
from pintsize.compress.importance import CRITERIA, Criterion, Examples
from pintsize.errors import UserError
from pintsize.graph import Graph, Tensor, rebuild
from pintsize.spec import check

FLOOR_CHANNELS = 4


@dataclass(frozen=True)
class Prune:
    """How to prune.

    width: fraction of the channels of every group that stays, in (0, 1]; layer_widths: node name → another fraction for
    its group. alignment: widths are rounded up to a multiple of it (a group narrower than that stays as it is).
    floor: no group gets narrower than this. criterion: how channels are ranked; seed: for `random`.
    """

    width: float = 0.5
    layer_widths: Mapping[str, float] = field(default_factory=dict)
    criterion: Criterion = "l2"
    alignment: int = 4
    floor: int = FLOOR_CHANNELS
    seed: int = 0

    def __post_init__(self) -> None:
        for width in (self.width, *self.layer_widths.values()):
            if not 0.0 < width <= 1.0:
                raise UserError(f"a width must be above 0 and at most 1, not {width}")
        if self.criterion not in CRITERIA:
            raise UserError(f"no criterion is called {self.criterion!r}; there are {', '.join(CRITERIA)}")
        if self.alignment < 1 or self.floor < 1:
            raise UserError("alignment and floor must be at least 1")

    def __call__(self, graph: Graph, examples: Examples | None = None) -> Graph:
        """A float Graph with fewer channels. `examples` are needed by criteria that look at data.

        Raises UserError for an unknown layer or missing examples.
        """
        flow = map_channels(graph)
        unknown = set(self.layer_widths) - {layer for g in flow.groups for layer in g.layers}
        if unknown:
            raise UserError(f"no layer to prune is named {sorted(unknown)}")
        scores = CRITERIA[self.criterion](graph, flow, examples, self.seed)
        alive = self._survivors(flow, scores)
        pruned = remove_channels(graph, flow, alive)
        check(pruned, "float")
        return pruned

    def target(self, group: Group) -> int:
        """How many channels of a group stay; alignment and floor count outputs, and one may stand for many."""
        have, alignment = len(group.channels), self.alignment // gcd(self.alignment, group.unit)
        width = next(
            (self.layer_widths[layer] for layer in group.layers if layer in self.layer_widths), self.width
        )
        aligned = ceil(have * width / alignment - 1e-9) * alignment
        return min(have, max(aligned, ceil(self.floor / group.unit)))

    def _survivors(self, flow: ChannelMap, scores: Mapping[int, float]) -> set[int]:
        removable = {c for g in flow.groups for c in g.channels}
        every = {int(i) for ids in (*flow.tensors.values(), *flow.slices.values()) for i in ids}
        alive = every - removable
        for group in flow.groups:
            ranked = sorted(group.channels, key=lambda c: (-scores[c], c))
            alive |= set(ranked[: self.target(group)])
        return alive


def remove_channels(graph: Graph, flow: ChannelMap, alive: set[int]) -> Graph:
    """The Graph without the channels whose identity is not alive: smaller arrays, no masks."""
    cut: dict[str, Tensor] = {}
    for (name, axis), ids in flow.slices.items():
        tensor = cut.get(name, graph.tensors[name])
        assert tensor.data is not None
        data = tensor.data.compress([int(i) in alive for i in ids], axis)
        cut[name] = replace(tensor, data=data, type=replace(tensor.type, shape=data.shape))
    return rebuild(graph, graph.nodes, cut)

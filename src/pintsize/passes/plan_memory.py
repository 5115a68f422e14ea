"""Which tensors share a buffer, how long each buffer lives, and where it lies in the arena.

The program's input and output belong to the caller. Reshapes share their input's buffer; elementwise ops overwrite
theirs when nobody reads it afterwards. Everything else is placed by `place_buffers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pintsize.graph import Graph, Node
from pintsize.ops import Reshape
from pintsize.passes.place_buffers import Buffer, Placement, place

Place = Literal["in", "out", "arena"]


@dataclass(frozen=True)
class MemoryPlan:
    """Where every activation lives.

    places: tensor → "in", "out" (the caller's buffers) or "arena"; buffer_of: tensor → buffer name (in the arena);
    buffers: with lifetimes in node indices, in bytes.
    """

    places: dict[str, Place]
    buffer_of: dict[str, str]
    buffers: tuple[Buffer, ...]
    placement: Placement

    @property
    def arena_bytes(self) -> int:
        return self.placement.arena_bytes

    def offset(self, tensor: str) -> int:
        """Bytes from the arena's start. Raises KeyError for the caller's buffers."""
        return self.placement.offsets[self.buffer_of[tensor]]


def plan_memory(graph: Graph) -> MemoryPlan:
    """The plan for a Graph run node by node in its order."""
    members = _shared_buffers(graph)
    places: dict[str, Place] = {}
    buffer_of: dict[str, str] = {}
    buffers: list[Buffer] = []
    for leader, names in members.items():
        place_here: Place = (
            "in" if graph.inputs[0] in names else "out" if graph.outputs[0] in names else "arena"
        )
        places.update(dict.fromkeys(names, place_here))
        if place_here == "arena":
            buffer_of.update(dict.fromkeys(names, leader))
            first = _first_write(graph, names)
            last = max(first, _last_read(graph, names))  # what nobody reads is still written
            buffers.append(Buffer(leader, max(_bytes(graph, n) for n in names), first, last))
    return MemoryPlan(places, buffer_of, tuple(buffers), place(buffers))


def _bytes(graph: Graph, name: str) -> int:
    """Activations are one byte each, also in a Graph that is not quantized yet."""
    return graph.type(name).elements


def _shared_buffers(graph: Graph) -> dict[str, list[str]]:
    """Leader → the tensors that live in one buffer, in the order they are written."""
    members: dict[str, list[str]] = {graph.inputs[0]: [graph.inputs[0]]}
    leader = {graph.inputs[0]: graph.inputs[0]}
    for step, node in enumerate(graph.nodes):
        candidates = [i for i in node.inputs if i in leader]
        chosen = next(
            (leader[i] for i in candidates if _may_share(graph, step, node, i, members[leader[i]])), None
        )
        own = node.output if chosen is None else chosen
        members.setdefault(own, []).append(node.output)
        leader[node.output] = own
    return members


def _may_share(graph: Graph, step: int, node: Node, name: str, names: list[str]) -> bool:
    """May the node's output live where its input `name` lives, together with `names`?"""
    if not node.op.in_place or _bytes(graph, name) != _bytes(graph, node.output):
        return False
    callers = graph.inputs[0] in names
    if callers and node.output == graph.outputs[0]:
        return False
    if isinstance(node.op, Reshape):
        return graph.outputs[0] not in names
    return not callers and graph.outputs[0] not in names and _last_read(graph, names) <= step


def _first_write(graph: Graph, names: list[str]) -> int:
    return min(step for step, node in enumerate(graph.nodes) if node.output in names)


def _last_read(graph: Graph, names: list[str]) -> int:
    return max((step for step, node in enumerate(graph.nodes) if set(node.inputs) & set(names)), default=-1)

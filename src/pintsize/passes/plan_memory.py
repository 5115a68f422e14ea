"""Which tensors share a buffer, how long each buffer lives, and where it lies in the arena.

The program's input and output belong to the caller, unless they are to live in the arena too. States always live there,
in places of their own that only their next values may take. Reshapes share their input's buffer; a layer that works in
place overwrites its own when nobody reads it afterwards; others may run over what they have read already, from a
distance that their kernel states. `place_buffers` does the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pintsize.graph import Graph, Node
from pintsize.ops import Reshape
from pintsize.passes.place_buffers import EFFORT, Buffer, Overlaps, Placement, live_bytes, place

Place = Literal["in", "out", "arena"]


@dataclass(frozen=True)
class Needs:
    """What the kernel of a layer asks of RAM.

    scratch_bytes: memory of its own while it runs. distances: per activation input, by how many bytes at least it must
    begin after the output when both may share bytes (negative: it may begin before); None or missing: never share.
    in_place: the output may lie exactly where the first input of the same size lies.
    """

    scratch_bytes: int = 0
    distances: tuple[int | None, ...] = ()
    in_place: bool = False


@dataclass(frozen=True)
class MemoryPlan:
    """Where every activation lives.

    places: tensor → "in", "out" (the caller's buffers) or "arena"; buffer_of: tensor → buffer name (in the arena);
    buffers: with lifetimes in node indices, in bytes; scratch: node → buffer name; overlaps: which buffers may share.
    """

    places: dict[str, Place]
    buffer_of: dict[str, str]
    buffers: tuple[Buffer, ...]
    placement: Placement
    scratch: dict[str, str]
    overlaps: Overlaps

    @property
    def arena_bytes(self) -> int:
        return self.placement.arena_bytes

    @property
    def live_bytes(self) -> tuple[int, ...]:
        """Bytes alive at the start of each buffer, less what may be shared: the largest bounds the arena from below."""
        return tuple(live_bytes(self.buffers, b.first, overlaps=self.overlaps) for b in self.buffers)

    def offset(self, tensor: str) -> int:
        """Bytes from the arena's start. Raises KeyError for the caller's buffers."""
        return self.placement.offsets[self.buffer_of[tensor]]

    def scratch_offset(self, node: str) -> int:
        """Bytes from the arena's start of a node's scratch memory. Raises KeyError when it has none."""
        return self.placement.offsets[self.scratch[node]]


def plan_memory(
    graph: Graph, needs: Sequence[Needs] = (), reuse_io: bool = False, effort: int = EFFORT
) -> MemoryPlan:
    """The plan for a Graph run node by node in its order.

    needs: one per node, or none at all for kernels that ask for nothing; reuse_io: the input and the output live in
    the arena, and the input may be overwritten; effort: see `place_buffers.place`.
    """
    asked = tuple(needs) or tuple(Needs() for _ in graph.nodes)
    members = _shared_buffers(graph, asked, reuse_io)
    places: dict[str, Place] = {}
    buffer_of: dict[str, str] = {}
    buffers: list[Buffer] = []
    for leader, names in members.items():
        kept_here = reuse_io or set(_standing(graph)) & set(names)
        place_here = "arena" if kept_here else _callers_place(graph, names)
        places.update(dict.fromkeys(names, place_here))
        if place_here == "arena":
            buffer_of.update(dict.fromkeys(names, leader))
            buffers.append(_buffer(graph, leader, names))
    scratch = {n.name: f"scratch of {n.name}" for n, need in zip(graph.nodes, asked, strict=True)
               if need.scratch_bytes}  # fmt: skip
    buffers += [
        Buffer(scratch[node.name], need.scratch_bytes, step, step)
        for step, (node, need) in enumerate(zip(graph.nodes, asked, strict=True))
        if node.name in scratch
    ]
    overlaps = _overlaps(graph, asked, members, buffer_of)
    placement = place(buffers, effort=effort, overlaps=overlaps)
    return MemoryPlan(places, buffer_of, tuple(buffers), placement, scratch, overlaps)


def _callers_place(graph: Graph, names: list[str]) -> Place:
    return "in" if graph.inputs[0] in names else "out" if graph.outputs[0] in names else "arena"


def _buffer(graph: Graph, leader: str, names: list[str]) -> Buffer:
    first = max(0, _first_write(graph, names))
    kept = {graph.outputs[0], *_standing(graph), *(s.next for s in graph.states)}
    last = len(graph.nodes) - 1 if kept & set(names) else _last_read(graph, names)
    return Buffer(
        leader, max(_bytes(graph, n) for n in names), first, max(first, last)
    )  # unread is still written


def _bytes(graph: Graph, name: str) -> int:
    return graph.type(name).activation_bytes


def _shared_buffers(graph: Graph, needs: Sequence[Needs], reuse_io: bool) -> dict[str, list[str]]:
    """Leader → the tensors that live in one buffer, in the order they are written."""
    begin = (graph.inputs[0], *_standing(graph))
    members: dict[str, list[str]] = {name: [name] for name in begin}
    leader = {name: name for name in begin}
    for step, (node, need) in enumerate(zip(graph.nodes, needs, strict=True)):
        candidates = [i for i in node.inputs if i in leader]
        if not node.op.in_place:
            candidates = candidates[:1] if need.in_place else []
        chosen = next(
            (leader[i] for i in candidates if _may_share(graph, step, node, i, members[leader[i]], reuse_io)),
            None,
        )
        own = node.output if chosen is None else chosen
        members.setdefault(own, []).append(node.output)
        leader[node.output] = own
    return members


def _may_share(graph: Graph, step: int, node: Node, name: str, names: list[str], reuse_io: bool) -> bool:
    """May the node's output live where its input `name` lives, together with `names`?"""
    if _bytes(graph, name) != _bytes(graph, node.output) or (
        node.inputs.count(name) > 1 and not node.op.in_place
    ):
        return False
    callers = graph.inputs[0] in names and not reuse_io
    if callers and node.output == graph.outputs[0]:
        return False
    ends = reuse_io or graph.outputs[0] not in names
    stays = any(s.tensor in names or s.next in names for s in graph.states)
    if stays and node.output == graph.outputs[0]:
        return False
    if isinstance(node.op, Reshape):
        return ends
    if stays and not any((s.tensor, s.next) == (name, node.output) for s in graph.states):
        return False
    return not callers and graph.outputs[0] not in names and _last_read(graph, names) <= step


def _overlaps(
    graph: Graph, needs: Sequence[Needs], members: dict[str, list[str]], buffer_of: dict[str, str]
) -> dict[tuple[str, str], int]:
    """(buffer read, buffer written) → the distance that the layer between them asks for."""
    found: dict[tuple[str, str], int] = {}
    for step, (node, need) in enumerate(zip(graph.nodes, needs, strict=True)):
        written = buffer_of.get(node.output)
        if written is None or _first_write(graph, members[written]) < step:
            continue
        for name, distance in zip(graph.activations(node), need.distances, strict=False):
            read = buffer_of.get(name)
            shared = [n for n in graph.activations(node) if buffer_of.get(n) == read]
            if distance is None or read is None or read == written or len(shared) > 1:
                continue
            if any(s.tensor in members[read] or s.next in members[read] for s in graph.states):
                continue
            if graph.outputs[0] not in members[read] and _last_read(graph, members[read]) <= step:
                found[read, written] = distance
    return found


def _standing(graph: Graph) -> tuple[str, ...]:
    """The states: full before the first step, and to be kept behind the last."""
    return tuple(s.tensor for s in graph.states)


def _first_write(graph: Graph, names: list[str]) -> int:
    """The first step that writes into a buffer; -1 for those of the input and of states, which are full before."""
    if graph.inputs[0] in names or set(_standing(graph)) & set(names):
        return -1
    return min((step for step, node in enumerate(graph.nodes) if node.output in names), default=-1)


def _last_read(graph: Graph, names: list[str]) -> int:
    return max((step for step, node in enumerate(graph.nodes) if set(node.inputs) & set(names)), default=-1)

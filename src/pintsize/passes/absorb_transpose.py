"""Removes transposes: into the weights of a linear layer behind a flatten, or against each other.

Torch flattens an image channels first, the Graph holds it channels last. Instead of moving the activations
on the device, the columns of the weights that read them are put in the order that they lie in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np

from pintsize.graph import Graph, Node, Tensor, rebuild
from pintsize.ops import BatchNorm, Elementwise, Linear, Reshape, Transpose
from pintsize.passes.neighbours import only_consumer, own_constant, replaced

MOVES = (Reshape, Transpose)


def absorb_transpose(graph: Graph) -> Graph:
    """The same function with as few transposes and reshapes as this pass knows how to reach."""
    while (simpler := _step(graph)) is not None:
        graph = simpler
    return graph


def _step(graph: Graph) -> Graph | None:
    """The graph after the first rewrite that applies."""
    for node in graph.nodes:
        if isinstance(node.op, MOVES):
            for rewrite in (_dropped, _merged, _sunk, _absorbed):
                simpler = rewrite(graph, node)
                if simpler is not None:
                    return simpler
    return None


def _dropped(graph: Graph, node: Node) -> Graph | None:
    """Without a move that moves nothing."""
    before = graph.type(node.inputs[0]).shape
    same = before == graph.type(node.output).shape
    idle = same and (isinstance(node.op, Reshape) or _keeps_order(node, before))
    return _without(graph, node) if idle else None


def _keeps_order(node: Node, shape: tuple[int, ...]) -> bool:
    """Whether a transpose moves only axes of length one."""
    axes = node.op.axes if isinstance(node.op, Transpose) else ()
    long_axes = [a for a in axes if shape[a] != 1]
    return long_axes == sorted(long_axes)


def _without(graph: Graph, node: Node) -> Graph | None:
    """The graph without a node whose output is its input; None where both are the graph's own ends."""
    source = node.inputs[0]
    if node.output not in graph.outputs:
        nodes = [
            replace(n, inputs=tuple(source if i == node.output else i for i in n.inputs)) for n in graph.nodes
        ]
        return rebuild(graph, [n for n in nodes if n.name != node.name])
    producer = graph.producer(source)
    if producer is None or only_consumer(graph, source) is None:
        return None
    return rebuild(graph, replaced(graph, {node: (), producer: (replace(producer, output=node.output),)}))


def _merged(graph: Graph, node: Node) -> Graph | None:
    """A transpose of only short axes as a reshape; two moves of a kind in a row as one."""
    before = graph.producer(node.inputs[0])
    shape = graph.type(node.inputs[0]).shape
    if isinstance(node.op, Transpose) and _keeps_order(node, shape):
        target = _target(shape, graph.type(node.output).shape)
        return rebuild(graph, replaced(graph, {node: (replace(node, op=Reshape(target)),)}))
    if before is None or only_consumer(graph, before.output) is None:
        return None
    op = _composed(graph, before, node)
    if op is None:
        return None
    return rebuild(graph, replaced(graph, {before: (), node: (replace(node, op=op, inputs=before.inputs),)}))


def _composed(graph: Graph, first: Node, second: Node) -> Reshape | Transpose | None:
    if isinstance(first.op, Transpose) and isinstance(second.op, Transpose):
        return Transpose(tuple(first.op.axes[a] for a in second.op.axes))
    if isinstance(first.op, Reshape) and isinstance(second.op, Reshape):
        return Reshape(_target(graph.type(first.inputs[0]).shape, graph.type(second.output).shape))
    return None


def _target(before: tuple[int, ...], after: tuple[int, ...]) -> tuple[int, ...]:
    """A reshape's target, with the last axis open where it holds whole sets of channels."""
    return (*after[:-1], -1) if after[-1] % before[-1] == 0 else after


def _sunk(graph: Graph, node: Node) -> Graph | None:
    """A transpose behind the function of one number that follows it, where it may meet its inverse."""
    after = only_consumer(graph, node.output)
    if not isinstance(node.op, Transpose) or after is None or not isinstance(after.op, Elementwise):
        return None
    first = replace(after, inputs=node.inputs, output=node.output)
    second = replace(node, inputs=(node.output,), output=after.output)
    return rebuild(graph, replaced(graph, {node: (), after: (first, second)}))


@dataclass
class Readers:
    """The nodes behind a flatten whose constants follow the order of its elements."""

    linear: list[Node]
    norms: list[Node]


def _absorbed(graph: Graph, node: Node) -> Graph | None:
    """A transpose and the flatten behind it as a flatten alone, the weights that read it in its order."""
    flatten = only_consumer(graph, node.output)
    if not isinstance(node.op, Transpose) or flatten is None or not isinstance(flatten.op, Reshape):
        return None
    if len(graph.type(flatten.output).shape) != 1:
        return None
    readers = Readers([], [])
    if not _collect(graph, flatten.output, readers):
        return None
    shape = graph.type(node.inputs[0]).shape
    order = np.arange(prod(shape)).reshape(shape).transpose(node.op.axes).reshape(-1)
    changes = {node: (), flatten: (replace(flatten, op=Reshape((-1,)), inputs=node.inputs),)}
    constants: dict[str, Tensor] = {}
    for reader in (*readers.linear, *readers.norms):
        reordered = [_reordered(graph, reader, c, order) for c in _ordered_constants(reader)]
        renamed = dict(zip(_ordered_constants(reader), [t.name for t in reordered], strict=True))
        changes[reader] = (replace(reader, inputs=tuple(renamed.get(i, i) for i in reader.inputs)),)
        constants |= {t.name: t for t in reordered}
    return rebuild(graph, replaced(graph, changes), constants)


def _collect(graph: Graph, tensor: str, readers: Readers) -> bool:
    """Finds the readers. False when something reads the elements whose order cannot be changed."""
    if tensor in graph.outputs:
        return False
    for node in graph.consumers(tensor):
        if isinstance(node.op, Linear):
            readers.linear.append(node)
        elif isinstance(node.op, BatchNorm):
            readers.norms.append(node)
        elif not isinstance(node.op, Elementwise):
            return False
        if not isinstance(node.op, Linear) and not _collect(graph, node.output, readers):
            return False
    return bool(graph.consumers(tensor))


def _ordered_constants(reader: Node) -> tuple[str, ...]:
    return reader.inputs[1:2] if isinstance(reader.op, Linear) else reader.inputs[1:]


def _reordered(graph: Graph, reader: Node, tensor: str, order: np.ndarray) -> Tensor:
    """The constant with what stood at j along its last axis now at order[j]."""
    data = graph.constant(tensor)
    moved = np.empty_like(data)
    moved[..., order] = data
    return own_constant(graph, reader, tensor, moved)

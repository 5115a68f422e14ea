"""Dropping a branch of a residual add: what the other branch gives goes on alone, and the add disappears.

Source: Huang et al., "Deep Networks with Stochastic Depth", 2016: residual networks bear the loss of a block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pintsize.errors import UserError
from pintsize.graph import Graph, Node, rebuild
from pintsize.ops import Add, Relu, Relu6

#: what an add's own activation becomes
_ACTIVATIONS = {"relu": Relu(), "relu6": Relu6()}

#: (name of the add, which of its inputs stays)
Drop = tuple[str, int]


def drops(graph: Graph) -> list[Drop]:
    """Every branch that may go: of an add of two activations of one shape, whose other side does not need it."""
    found: list[Drop] = []
    for node in graph.nodes:
        if not isinstance(node.op, Add) or len(graph.activations(node)) != 2:
            continue
        a, b = (graph.type(name).shape for name in node.inputs)
        if node.inputs[0] != node.inputs[1] and a == b:
            found += [(node.name, kept) for kept in (0, 1) if _saves(graph, node, kept)]
    return found


def drop_branches(graph: Graph, dropped: Sequence[Drop]) -> Graph:
    """The float Graph without these branches. Raises UserError for an add that is not there."""
    for name, kept in dropped:
        node = next((n for n in graph.nodes if n.name == name and isinstance(n.op, Add)), None)
        if node is None:
            raise UserError(f"no add is named {name}: no branch to drop there")
        graph = _dropped(graph, node, kept)
    return graph


def _dropped(graph: Graph, add: Node, kept: int) -> Graph:
    assert isinstance(add.op, Add)
    source = add.inputs[kept]
    nodes: list[Node] = []
    if add.op.activation == "none":
        rename = {add.output: source}
        nodes = [
            replace(n, inputs=tuple(rename.get(i, i) for i in n.inputs)) for n in graph.nodes if n is not add
        ]
        outputs = tuple(rename.get(o, o) for o in graph.outputs)
    else:
        alone = replace(add, op=_ACTIVATIONS[add.op.activation], inputs=(source,))
        nodes = [alone if n is add else n for n in graph.nodes]
        outputs = graph.outputs
    short = replace(graph, nodes=tuple(nodes), outputs=outputs)
    return rebuild(short, _needed(short))


def _saves(graph: Graph, add: Node, kept: int) -> bool:
    """Dropping the other side removes more nodes than the add."""
    return len(_dropped(graph, add, kept).nodes) < len(graph.nodes) - (add.op.activation == "none")  # type: ignore[attr-defined]


def _needed(graph: Graph) -> list[Node]:
    """Nodes that the outputs depend on, in their order."""
    wanted = set(graph.outputs)
    found: list[Node] = []
    for node in reversed(graph.nodes):
        if node.output in wanted:
            found.append(node)
            wanted |= set(node.inputs)
    return found[::-1]

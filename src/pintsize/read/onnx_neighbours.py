"""Who makes and who reads each tensor of an ONNX graph, for what looks for patterns of nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import NodeProto


@dataclass(frozen=True)
class Neighbours:
    """made: tensor → its node; read: tensor → its readers; numbers: the constants that are one number."""

    made: Mapping[str, NodeProto]
    read: Mapping[str, Sequence[NodeProto]]
    numbers: Mapping[str, float]

    def maker(self, tensor: str, op: str) -> NodeProto | None:
        """The node that makes a tensor, where it is of this op and has two inputs or fewer."""
        node = self.made.get(tensor)
        return node if node is not None and node.op_type == op and len(node.input) in (1, 2) else None

    def after(self, tensor: str, op: str) -> NodeProto | None:
        """The one reader of a tensor, where it is of this op."""
        readers = self.read.get(tensor, ())
        return readers[0] if len(readers) == 1 and readers[0].op_type == op else None

    def factor(self, node: NodeProto) -> tuple[str, float] | None:
        """(x, f) of a node that computes f · x."""
        if node.op_type not in ("Mul", "Div") or len(node.input) != 2:
            return None
        a, b = node.input
        second = self.numbers.get(b)
        if node.op_type == "Div":
            return None if not second else (a, 1.0 / second)
        first = self.numbers.get(a)
        return (a, second) if second is not None else (b, first) if first is not None else None


def neighbours(nodes: Sequence[NodeProto], numbers: Mapping[str, float]) -> Neighbours:
    """Of these nodes."""
    read: dict[str, list[NodeProto]] = {}
    for node in nodes:
        for name in node.input:
            read.setdefault(name, []).append(node)
    return Neighbours({o: n for n in nodes for o in n.output}, read, numbers)

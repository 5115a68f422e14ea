"""Follows writes in place: torch lets several names share memory, the Graph does not."""

from __future__ import annotations

from torch import fx

#: the output is the very tensor that came in (dropout: in eval mode)
SAME = frozenset(
    {"alias", "detach", "detach_", "to", "dropout", "feature_dropout", "alpha_dropout",
     "feature_alpha_dropout"}
)  # fmt: skip
#: the output shares memory with the input, or may do so
VIEWS = frozenset(
    {"contiguous", "flatten", "movedim", "permute", "reshape", "squeeze", "swapaxes", "transpose",
     "unflatten", "unsqueeze", "view"}
)  # fmt: skip


def op_name(node: fx.Node) -> str:
    """`relu_` for aten.relu_.default; "" for what is not a torch op."""
    schema = getattr(node.target, "_schema", None)
    return "" if schema is None else schema.name.rpartition("::")[2]


def writes_in_place(node: fx.Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    return schema is not None and schema.is_mutable


class Aliases:
    """Which of the nodes seen so far are one tensor, and which share memory."""

    def __init__(self) -> None:
        self._tensor: dict[fx.Node, fx.Node] = {}
        self._memory: dict[fx.Node, fx.Node] = {}

    def record(self, node: fx.Node) -> None:
        """Takes the node's first input for the one whose memory it shares, if its op does that at all."""
        name, first = op_name(node), node.args[0] if node.args else None
        same = name in SAME or writes_in_place(node)
        known = isinstance(first, fx.Node) and first in self._tensor
        self._tensor[node] = self._tensor[first] if same and known else node  # pyright: ignore[reportArgumentType]
        shares = same or name in VIEWS
        self._memory[node] = self._memory[first] if shares and known else node  # pyright: ignore[reportArgumentType]

    def same_tensor(self, node: fx.Node) -> list[fx.Node]:
        """All names of the tensor that the node names."""
        return [n for n, t in self._tensor.items() if t is self._tensor[node]]

    def other_views(self, node: fx.Node) -> list[fx.Node]:
        """Other tensors that share memory with the node's."""
        same = self._tensor[node]
        return [n for n, m in self._memory.items() if m is self._memory[node] and self._tensor[n] is not same]

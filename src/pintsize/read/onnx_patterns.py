"""Puts one node in place of several that exporters write where an older opset has no op of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from pintsize.read.onnx_gelu import gelu
from pintsize.read.onnx_layer_norm import layer_norm
from pintsize.read.onnx_neighbours import Neighbours, neighbours

if TYPE_CHECKING:
    from onnx import NodeProto

Pattern = Callable[[Neighbours, "NodeProto"], "tuple[NodeProto, NodeProto] | None"]
#: op in the middle of a pattern → what looks for it
PATTERNS: dict[str, Pattern] = {"Erf": gelu, "Div": layer_norm}


def merged(nodes: Sequence[NodeProto], numbers: Mapping[str, float]) -> list[NodeProto]:
    """The nodes, the last one of each pattern replaced by the whole; nothing reads the others any more."""
    found = neighbours(nodes, numbers)
    replaced: dict[str, NodeProto] = {}
    for node in nodes:
        pattern = PATTERNS.get(node.op_type)
        ends = pattern(found, node) if pattern is not None and node.input and node.output else None
        if ends is not None:
            replaced[ends[0].output[0]] = ends[1]
    return [replaced.get(n.output[0], n) if n.output else n for n in nodes]

"""The portable call of a table of token ids."""

from __future__ import annotations

from dataclasses import replace

from pintsize.graph import Graph, Node
from pintsize.ops import Embedding
from pintsize.write.c.calls.call import Call, c_call
from pintsize.write.c.calls.numbers import WEIGHTS, weighted


def embedding(graph: Graph, node: Node) -> Call:
    assert isinstance(node.op, Embedding)
    x, w, y = (graph.type(n) for n in (node.inputs[0], node.inputs[1], node.output))
    constants, bits, grid = weighted(graph, node, 0)
    bias = graph.constant(node.inputs[2])  # a row has one weight: the input's zero point is no part of it
    kept = tuple(replace(c, data=bias) if c.name == "bias" else c for c in constants)
    call = c_call(
        "embedding", "x0", "y", *WEIGHTS, x.elements, w.shape[1], y.shape[-1], bits, int(x.dtype == "int16"),
        x.zero_point, grid.zero_point, grid.low, grid.high,
    )  # fmt: skip
    return Call((call,), kept, ("requantize", "dot", "codes16", "embedding"))

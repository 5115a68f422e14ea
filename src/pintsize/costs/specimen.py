"""A layer taken out of its network, with constants that depend on its shapes alone.

What is measured of it then holds for every network that has a layer of this shape, and is the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from pintsize.graph import BITS, Graph, Node, Tensor
from pintsize.write.c.calls import Call, Isa, call_of

#: from an accumulator to the output's codes
FACTOR = 0.005
#: of every activation; kernels tell apart whether it may be negative
SCALE, ZERO_POINT = 0.0625, -3


@dataclass(frozen=True)
class Shape:
    """A layer's kind, and its widths: sizes of the last axes of its activations, which pruning changes.

    kind: everything else that tells kernels apart, as text.
    """

    kind: str
    widths: tuple[int, ...]


def shape_of(graph: Graph, node: Node, call: Call) -> Shape:
    """The shape of a layer that is computed by `call`; those of one kind differ in width alone."""
    types = [graph.type(n) for n in (*graph.activations(node), node.output)]
    rows = [f"{'x'.join(map(str, t.shape[:-1]))} {t.dtype} {t.zero_point == -128}" for t in types]
    constants = [graph.type(c) for c in graph.constants(node)]
    bits = constants[0].dtype if constants else ""
    functions = " ".join(i.function for i in call.invocations)
    kind = f"{functions}: {node.op!r}, {', '.join(rows)}, {bits}"
    return Shape(kind, tuple(t.shape[-1] if t.shape else 1 for t in types))


def specimen(graph: Graph, node: Node, isa: Isa) -> tuple[Graph, Node]:
    """The layer alone, with weights drawn by their shape; as it is where other kernels would compute it then."""
    drawn = _alone(graph, node)
    if [i.function for i in call_of(*drawn, isa).invocations] == [
        i.function for i in call_of(graph, node, isa).invocations
    ]:
        return drawn
    return graph, node


def _alone(graph: Graph, node: Node) -> tuple[Graph, Node]:
    activations = (*graph.activations(node), node.output)
    tensors = {n: graph.tensors[n] for n in (*node.inputs, node.output)}
    constants = graph.constants(node)
    if len(constants) <= 2 and node.op.fixed_output() is None:
        tensors |= {n: _on_a_common_grid(graph.tensors[n]) for n in activations}
        graph = graph.with_tensors(*(tensors[n] for n in activations))
    if len(constants) == 2 and not node.op.operands and graph.type(constants[1]).dtype == "int32":
        weight, bias = _drawn(graph, node, constants)
        tensors |= {weight.name: weight, bias.name: bias}
    alone = replace(
        graph, tensors=tensors, nodes=(node,), inputs=graph.activations(node), outputs=(node.output,)
    )
    return alone, node


def _on_a_common_grid(activation: Tensor) -> Tensor:
    zero_point = (
        -128 if activation.type.zero_point == -128 else 0 if activation.type.dtype == "int16" else ZERO_POINT
    )
    return replace(activation, type=replace(activation.type, scale=(SCALE,), zero_point=zero_point))


def _drawn(graph: Graph, node: Node, constants: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    weight, bias = (graph.tensors[c] for c in constants)
    most = 2 ** (BITS[weight.type.dtype] - 1) - 1
    seed = crc32(repr((weight.type.shape, weight.type.dtype)).encode())
    codes = np.random.default_rng(seed).integers(-most, most + 1, weight.type.shape).astype(np.int8)
    given = node.op.weighed_scale or graph.type(node.inputs[0]).scale[0]
    scale = FACTOR * graph.type(node.output).scale[0] / given
    count = len(weight.type.scale)
    drawn = replace(weight, data=codes, type=replace(weight.type, scale=(float(np.float32(scale)),) * count))
    return drawn, replace(
        bias,
        data=np.zeros(bias.type.shape, np.int32),
        type=replace(bias.type, scale=(float(np.float32(scale * given)),) * len(bias.type.scale)),
    )

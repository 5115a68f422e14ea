"""Moves zero padding into the convolutions that read it. Pools do not pad with zeros: they keep their Pad."""

from __future__ import annotations

from dataclasses import replace

from pintsize.graph import Graph, Node, rebuild
from pintsize.ops import Conv2d, DepthwiseConv2d, Pad
from pintsize.passes.neighbours import replaced

CONVOLUTIONS = (Conv2d, DepthwiseConv2d)


def fuse_pad(graph: Graph) -> Graph:
    """The same function; a Pad stays where anything but a convolution reads it."""
    for name in [n.output for n in reversed(graph.nodes) if isinstance(n.op, Pad)]:
        pad = graph.producer(name)
        readers = graph.consumers(name)
        if pad is None or name in graph.outputs or not readers:
            continue
        if not isinstance(pad.op, Pad) or not pad.op.around_image_with_zeros:
            continue
        if all(isinstance(r.op, CONVOLUTIONS) and r.inputs[0] == name for r in readers):
            graph = rebuild(graph, replaced(graph, {pad: (), **{r: (_padded(r, pad),) for r in readers}}))
    return graph


def _padded(reader: Node, pad: Node) -> Node:
    op = reader.op
    if not isinstance(op, CONVOLUTIONS) or not isinstance(pad.op, Pad):
        return reader
    around = (*pad.op.padding, *[0] * 4)[:4]
    top, bottom, left, right = (a + b for a, b in zip(op.padding, around, strict=True))
    return replace(
        reader, op=replace(op, padding=(top, bottom, left, right)), inputs=(*pad.inputs, *reader.inputs[1:])
    )

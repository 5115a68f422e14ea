"""The structural passes in their order: before training in float, and before quantization."""

from __future__ import annotations

from pintsize.graph import Graph
from pintsize.passes.absorb_transpose import absorb_transpose
from pintsize.passes.fold_batch_norm import fold_batch_norm
from pintsize.passes.fuse_activation import fuse_activation
from pintsize.passes.fuse_pad import fuse_pad


def simplify(graph: Graph) -> Graph:
    """What is right while batch norms still learn: no idle transposes, reshapes and pads."""
    return fuse_pad(absorb_transpose(graph))


def fold(graph: Graph) -> Graph:
    """What quantization needs: simplified, batch norms in the weights, activations in the ops before them."""
    return fuse_activation(absorb_transpose(fold_batch_norm(simplify(graph))))

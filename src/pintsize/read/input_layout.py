"""Whether the model takes its input for an image, a signal, or plain features: what its first ops ask for."""

from __future__ import annotations

from torch import fx

from pintsize.read.aliasing import VIEWS, op_name
from pintsize.read.layout import Layout, channels_first

TAKES_CHANNELS_FIRST = frozenset(
    {"conv1d", "conv2d", "batch_norm", "max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d",
     "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool1d", "adaptive_max_pool2d"}
)  # fmt: skip
TAKES_CHANNELS_LAST = frozenset(
    {"linear", "permute", "transpose", "swapaxes", "movedim", "layer_norm", "embedding"}
)
MOVES_AXES = VIEWS - TAKES_CHANNELS_LAST - {"contiguous"}


def input_layout(placeholder: fx.Node, rank: int) -> Layout:
    """The layout of the model's input, which has `rank` axes without the batch.

    Follows it through ops that do not care, such as padding, to the first one that does. Where none does,
    three axes are an image.
    """
    reached = {placeholder}
    for node in placeholder.graph.nodes:
        if reached.isdisjoint(node.all_input_nodes):
            continue
        name = op_name(node)
        if name in TAKES_CHANNELS_FIRST:
            return channels_first(rank)
        if name in TAKES_CHANNELS_LAST:
            return Layout.PLAIN
        if name in MOVES_AXES:
            break
        reached.add(node)
    return Layout.IMAGE if rank == 3 else Layout.PLAIN

"""How the axes of a torch tensor lie in the Graph, where channels come last."""

from __future__ import annotations

from enum import Enum

import numpy as np


class Layout(Enum):
    """Shapes leave the batch out.

    IMAGE: torch's (C, H, W) is the Graph's (H, W, C). SIGNAL: torch's (C, L) is the Graph's (1, L, C).
    PLAIN: both have the same axes in the same order.
    """

    IMAGE = "image"
    SIGNAL = "signal"
    PLAIN = "plain"

    def graph_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The Graph's shape of a torch shape."""
        if self is Layout.IMAGE:
            channels, height, width = shape
            return height, width, channels
        if self is Layout.SIGNAL:
            channels, length = shape
            return 1, length, channels
        return shape

    def graph_axis(self, axis: int) -> int:
        """The Graph's axis of a torch axis, both without the batch."""
        if self is Layout.IMAGE:
            return (2, 0, 1)[axis]
        if self is Layout.SIGNAL:
            return (2, 1)[axis]
        return axis

    def arrange(self, x: np.ndarray) -> np.ndarray:
        """x (n, *torch shape) as the Graph holds it: (n, *graph shape), float32, contiguous."""
        if self is Layout.IMAGE:
            x = x.transpose(0, 2, 3, 1)
        if self is Layout.SIGNAL:
            x = x.transpose(0, 2, 1)[:, np.newaxis]
        return np.ascontiguousarray(x, np.float32)

    def restore(self, y: np.ndarray) -> np.ndarray:
        """y (n, *graph shape) as torch has it: (n, *torch shape), contiguous."""
        if self is Layout.IMAGE:
            y = y.transpose(0, 3, 1, 2)
        if self is Layout.SIGNAL:
            y = y[:, 0].transpose(0, 2, 1)
        return np.ascontiguousarray(y)


def channels_first(rank: int) -> Layout:
    """The layout of a tensor of this rank whose first axis in torch holds channels; PLAIN for others."""
    return {2: Layout.SIGNAL, 3: Layout.IMAGE}.get(rank, Layout.PLAIN)

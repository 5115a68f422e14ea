"""What both ways to resize an image share. (H, W, C) → (height, width, C).

align_corners: the outermost pixels of both images lie on each other. half_pixel_centers: the borders do. Neither: the
first pixels do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from pintsize.graph import Channels, Node, Op, TensorType


class Resize(Op):
    """Abstract: a subclass has these attributes and says what a pixel is made of. Input and output share one grid."""

    ties_types: ClassVar[bool] = True
    size: tuple[int, int]
    align_corners: bool
    half_pixel_centers: bool

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        before = inputs[0].shape
        if len(before) != 3:
            raise ValueError(f"{self.name}: needs an input (height, width, channels), not {before}")
        if min(self.size) < 1 or (self.align_corners and self.half_pixel_centers):
            raise ValueError(
                f"{self.name}: size {self.size} must be positive, and one way to align be chosen at most"
            )
        return (*self.size, before[-1])

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        return inputs[0]

"""An image in another size, every pixel the nearest one. Input (H, W, C) → (height, width, C).

Integers: the codes move. Which pixel is nearest is computed as TFLite has it, in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pintsize.arithmetic import Grid, Quantized, nearest_pixels
from pintsize.deferred import torch
from pintsize.ops.example import Example, array
from pintsize.ops.resize import Resize


@dataclass(frozen=True)
class ResizeNearest(Resize):
    """`size` is (height, width)."""

    name: ClassVar[str] = "resize_nearest"
    integer_gradient: ClassVar[bool] = True
    size: tuple[int, int] = (1, 1)
    align_corners: bool = False
    half_pixel_centers: bool = False

    def sources(self, extent: int, size: int) -> list[int]:
        """Per output pixel along an axis the input pixel."""
        return nearest_pixels(extent, size, self.align_corners, self.half_pixel_centers)

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        x = inputs[0]
        for axis, size in enumerate(self.size, 1):
            x = x.index_select(axis, torch.tensor(self.sources(x.shape[axis], size)))
        return x

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        return self.float_meaning([inputs[0].q])


EXAMPLES = (
    Example(ResizeNearest((2, 3)), (array((1, 2, 1), 1, 2),), array((2, 3, 1), 1, 1, 2, 1, 1, 2)),
    Example(
        ResizeNearest((1, 3), align_corners=True),
        (array((1, 5, 1), 1, 2, 3, 4, 5),),
        array((1, 3, 1), 1, 3, 5),
    ),
    Example(
        ResizeNearest((1, 2), half_pixel_centers=True),
        (array((1, 4, 2), 1, 10, 2, 20, 3, 30, 4, 40),),
        array((1, 2, 2), 2, 20, 4, 40),
    ),
)

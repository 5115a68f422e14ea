"""An image in another size, every pixel a mean of its four neighbours. Input (H, W, C) → (height, width, C).

Integers, as TFLite has it: positions and weights with 10 fractional bits per axis, halves away from zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pintsize.arithmetic import (
    BILINEAR_BITS,
    Between,
    Grid,
    Quantized,
    between_pixels,
    round_half_away_divide,
)
from pintsize.deferred import torch
from pintsize.ops.example import Example, array
from pintsize.ops.resize import Resize


@dataclass(frozen=True)
class ResizeBilinear(Resize):
    """`size` is (height, width)."""

    name: ClassVar[str] = "resize_bilinear"
    size: tuple[int, int] = (1, 1)
    align_corners: bool = False
    half_pixel_centers: bool = False

    def sources(self, extent: int, size: int) -> Between:
        """Per output pixel along an axis the two input pixels and the weight of the second."""
        return between_pixels(extent, size, self.align_corners, self.half_pixel_centers)

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        x = inputs[0]
        for axis, size in enumerate(self.size, 1):
            x = _blended(x, axis, self._positions(x.shape[axis], size, x))
        return x

    def _positions(self, extent: int, size: int, x: torch.Tensor) -> torch.Tensor:
        """Real positions along an axis, inside the image."""
        steps = torch.arange(size, dtype=x.dtype)
        if self.align_corners and size > 1:
            return steps * ((extent - 1) / (size - 1))
        offset = 0.5 if self.half_pixel_centers else 0.0
        return ((steps + offset) * (extent / size) - offset).clamp(0, extent - 1)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x = inputs[0].q.detach().double()
        for axis, size in enumerate(self.size, 1):
            taken = self.sources(x.shape[axis], size)
            shape = [-1 if a == axis else 1 for a in range(4)]
            weight = torch.from_numpy(taken.weight).double().reshape(shape)
            lower = x.index_select(axis, torch.from_numpy(taken.lower))
            upper = x.index_select(axis, torch.from_numpy(taken.upper))
            x = lower * ((1 << BILINEAR_BITS) - weight) + upper * weight
        one = torch.tensor(float(1 << (2 * BILINEAR_BITS)), dtype=torch.float64)
        return round_half_away_divide(x, one).float()


def _blended(x: torch.Tensor, axis: int, positions: torch.Tensor) -> torch.Tensor:
    lower = positions.floor()
    weight = (positions - lower).reshape([-1 if a == axis else 1 for a in range(4)])
    upper = (lower + 1).clamp(max=x.shape[axis] - 1)
    return x.index_select(axis, lower.long()) * (1 - weight) + x.index_select(axis, upper.long()) * weight


EXAMPLES = (
    Example(ResizeBilinear((1, 4)), (array((1, 2, 1), 1, 3),), array((1, 4, 1), 1, 2, 3, 3)),
    Example(
        ResizeBilinear((3, 3), align_corners=True),
        (array((2, 2, 1), 0, 4, 8, -4),),
        array((3, 3, 1), 0, 2, 4, 4, 2, 0, 8, 2, -4),
    ),
    Example(
        ResizeBilinear((1, 4), half_pixel_centers=True),
        (array((1, 2, 2), 0, 10, 4, 30),),
        array((1, 4, 2), 0, 10, 1, 15, 3, 25, 4, 30),
    ),
)

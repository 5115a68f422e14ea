"""Other pictures of the same thing, as another device or another pose would have taken them.

What devices and poses change must not be what is learnt: place, size, turn, exposure, contrast, shading, sharpness,
noise, and that a part is hidden. Of the X-rays the official test part differs from the training part more than a part
of the latter does.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Variation:
    """How far copies go. turn_deg; scale, aspect, gamma, contrast: logarithms of factors; shift: share of half a side;
    bright, noise, shade: shares of full scale; blur: towards (or away from) the mean of 3×3; hidden: share of copies;
    mirror: whether left and right may be exchanged.
    """

    turn_deg: float = 10.0
    scale: float = 0.15
    aspect: float = 0.08
    shift: float = 0.11
    gamma: float = 0.4
    contrast: float = 0.3
    bright: float = 0.12
    blur: float = 0.6
    noise: float = 0.04
    shade: float = 0.06
    hidden: float = 0.4
    mirror: bool = True


class Copies:
    """Draws copies; the same seed draws the same."""

    def __init__(self, seed: int, how: Variation | None = None) -> None:
        self._how = how or Variation()
        self._random = torch.Generator().manual_seed(seed)

    def of(self, x: torch.Tensor) -> torch.Tensor:
        """(n, channels, side, side) 0..255 → a copy of each."""
        seen = self._posed(x.float()) / 255.0
        return (self._hidden(self._exposed(seen)).clamp(0, 1) * 255.0).round()

    def _posed(self, x: torch.Tensor) -> torch.Tensor:
        how, n = self._how, len(x)
        turn = torch.deg2rad(self._between(n) * how.turn_deg)
        scale, aspect = torch.exp(how.scale * self._between(n)), torch.exp(how.aspect * self._between(n))
        mirror = torch.where(self._share(n) < 0.5 * how.mirror, -1.0, 1.0)
        shift = how.shift * self._between(n, 2)
        cos, sin = torch.cos(turn), torch.sin(turn)
        across = torch.stack([cos * scale * aspect * mirror, -sin * scale, shift[:, 0]], 1)
        down = torch.stack([sin * scale * mirror, cos * scale / aspect, shift[:, 1]], 1)
        grid = F.affine_grid(torch.stack([across, down], 1), list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, padding_mode="border", align_corners=False)

    def _exposed(self, x: torch.Tensor) -> torch.Tensor:
        how, n, side = self._how, len(x), x.shape[-1]
        x = x.clamp(0, 1) ** torch.exp(how.gamma * self._between(n, 1, 1, 1))
        mean = x.mean((1, 2, 3), keepdim=True)
        x = (x - mean) * torch.exp(how.contrast * self._between(n, 1, 1, 1)) + mean
        blurred = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
        x = x + (blurred - x) * how.blur * self._between(n, 1, 1, 1)
        coarse = torch.randn(n, 1, 3, 3, generator=self._random) * how.shade
        shade = F.interpolate(coarse, size=side, mode="bilinear", align_corners=True)
        noise = torch.randn(x.shape, generator=self._random) * how.noise * self._share(n, 1, 1, 1)
        return x + shade + noise + how.bright * self._between(n, 1, 1, 1)

    def _hidden(self, x: torch.Tensor) -> torch.Tensor:
        """A square of some copies is their mean."""
        n, side = len(x), x.shape[-1]
        middle = torch.randint(0, side, (n, 2), generator=self._random)
        half = torch.randint(3, side // 4, (n,), generator=self._random)[:, None, None]
        axis = torch.arange(side)
        inside = ((axis[None, :, None] - middle[:, :1, None]).abs() < half) & (
            (axis[None, None] - middle[:, 1:, None]).abs() < half
        )
        inside &= (self._share(n) < self._how.hidden)[:, None, None]
        return torch.where(inside[:, None], x.mean((1, 2, 3), keepdim=True), x)

    def _share(self, *shape: int) -> torch.Tensor:
        """Numbers from 0 to 1."""
        return torch.rand(shape, generator=self._random)

    def _between(self, *shape: int) -> torch.Tensor:
        """Numbers from -1 to 1."""
        return 2 * self._share(*shape) - 1

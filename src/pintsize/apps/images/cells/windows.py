"""What the detector is shown in training: turned, mirrored, scaled and recoloured windows, and their heatmaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from pintsize.apps.images.cells.material import Smear, marked_classes
from pintsize.apps.images.cells.peaks import CLASSES, STRIDE

#: pixels of a window's side
SIDE = 176
#: deviation of the bell around a centre, in places of the heatmap, for each class
SPREADS = (1.5, 2.5, 1.1)


@dataclass(frozen=True)
class Variation:
    """How far windows go: scale as a factor, gain, shade and tint as shares of full scale, blur as a share."""

    scale: float = 1.18
    gain: float = 0.2
    tint: float = 0.06
    noise: float = 0.03
    blur: float = 0.6


class Windows:
    """Draws windows from smears; the same seed draws the same."""

    def __init__(self, smears: Sequence[Smear], seed: int, variation: Variation | None = None) -> None:
        self._smears, self._how = smears, variation or Variation()
        self._pixels = torch.from_numpy(np.stack([s.pixels for s in smears])).permute(0, 3, 1, 2)
        self._believed = torch.from_numpy(np.stack([marked_classes(s) for s in smears]))
        self._random = np.random.default_rng(seed)
        self._torch_random = torch.Generator().manual_seed(seed)

    def draw(self, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """x (count, 3, SIDE, SIDE) 0..255; heat (count, classes, SIDE/4, SIDE/4) 0..1; believed (count, classes)."""
        rows = self._random.integers(len(self._smears), size=count)
        maps = [self._window() for _ in rows]
        x = self._pixels[torch.from_numpy(rows)].float()
        x = F.grid_sample(x, self._grid(maps), padding_mode="border", align_corners=False)
        heat = np.stack([
            _heat([_seen(points, at) for points in self._smears[row].centres])
            for row, at in zip(rows, maps, strict=True)
        ])  # fmt: skip
        return self._recoloured(x), torch.from_numpy(heat), self._believed[torch.from_numpy(rows)]

    def _window(self) -> NDArray[np.float64]:
        """(2, 3): where a pixel of the window, counted from its middle, lies in the picture."""
        height, width = self._smears[0].pixels.shape[:2]
        scale = self._how.scale ** self._random.uniform(-1, 1)
        turn, mirror = self._random.integers(4) * np.pi / 2, self._random.choice([-1.0, 1.0])
        cos, sin = np.round(np.cos(turn)), np.round(np.sin(turn))
        matrix = scale * np.array([[cos * mirror, -sin], [sin * mirror, cos]])
        room = max(SIDE * scale / 2, 1.0)
        middle = [
            self._random.uniform(min(room, side / 2), max(side - room, side / 2)) for side in (width, height)
        ]
        return np.column_stack([matrix, middle])

    def _grid(self, maps: Sequence[NDArray[np.float64]]) -> torch.Tensor:
        height, width = self._smears[0].pixels.shape[:2]
        to_share = np.array([2 / width, 2 / height])[:, None]
        theta = [np.column_stack([m[:, :2] * SIDE / 2 * to_share, m[:, 2:] * to_share - 1]) for m in maps]
        return F.affine_grid(
            torch.from_numpy(np.stack(theta)).float(), [len(maps), 3, SIDE, SIDE], align_corners=False
        )

    def _recoloured(self, x: torch.Tensor) -> torch.Tensor:
        how, n = self._how, len(x)
        gain = torch.exp(how.gain * self._between(n, 1, 1, 1))
        tint = 255 * how.tint * self._between(n, 3, 1, 1)
        blurred = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
        x = x + (blurred - x) * how.blur * self._between(n, 1, 1, 1)
        noise = torch.randn(x.shape, generator=self._torch_random) * 255 * how.noise
        return (
            (x - 128) * gain + 128 + tint + noise * torch.rand(n, 1, 1, 1, generator=self._torch_random)
        ).clamp(0, 255)

    def _between(self, *shape: int) -> torch.Tensor:
        """Numbers from -1 to 1."""
        return 2 * torch.rand(shape, generator=self._torch_random) - 1


def _seen(points: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centres (n, 2) in the picture → in the window's pixels."""
    return (points - at[:, 2]) @ np.linalg.inv(at[:, :2]).T + SIDE / 2


def _heat(centres: Sequence[NDArray[np.float64]]) -> NDArray[np.float32]:
    """(classes, SIDE/4, SIDE/4): a bell around each centre that is in the window, 1 at its place."""
    places = SIDE // STRIDE
    heat = np.zeros((len(CLASSES), places, places), np.float32)
    axis = np.arange(places)
    for plane, points, spread in zip(heat, centres, SPREADS, strict=True):
        for x, y in np.floor(points / STRIDE).astype(int):
            if 0 <= x < places and 0 <= y < places:
                bell = np.exp(-((axis[:, None] - y) ** 2 + (axis - x) ** 2) / (2 * spread**2))
                np.maximum(plane, bell, out=plane)
    return heat


def detection_loss(logits: torch.Tensor, heat: torch.Tensor, believed: torch.Tensor) -> torch.Tensor:
    """Focal loss of heatmaps, each class by the number of its centres; classes not believed do not count.

    Source: Zhou et al., "Objects as Points", 2019, equation 1.
    """
    chance = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    centre = (heat > 0.999).float()
    found = centre * (1 - chance) ** 2 * chance.log()
    empty = (1 - centre) * (1 - heat) ** 4 * chance**2 * (1 - chance).log()
    counted = believed.float()[:, :, None, None]
    total = -((found + empty) * counted).sum((0, 2, 3))
    return (total / (centre * counted).sum((0, 2, 3)).clamp(min=1)).sum()

"""Pictures for the tests, drawn so that what is in them is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from pintsize.apps.images.pictures import Picture, Pixels


def smooth(side: int = 64, seed: int = 0, low: int = 40, high: int = 210) -> Pixels:
    """(side, side, 3) grey, with coarse patches and a little grain."""
    random = np.random.default_rng(seed)
    coarse = random.integers(low, high, (6, 6)).astype(np.uint8)
    plane = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC), np.float64)
    grey = np.clip(plane + random.normal(0, 3, plane.shape), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def picture(pixels: Pixels, name: str = "drawn") -> Picture:
    return Picture(name, pixels, bool((pixels == pixels[..., :1]).all()))


def shape(kind: str, seed: int, side: int = 32) -> Pixels:
    """(side, side, 3): a bright disc, or a bright bar, somewhere on a darker ground."""
    random = np.random.default_rng(seed)
    row, column = random.integers(10, side - 10, 2)
    down, right = np.mgrid[:side, :side]
    if kind == "disc":
        inside = (down - row) ** 2 + (right - column) ** 2 <= 36
    else:
        inside = (abs(down - row) <= 2) & (abs(right - column) <= 9)
    plane = np.where(inside, 200.0, 70.0) + random.normal(0, 6, (side, side))
    return np.repeat(np.clip(plane, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def saved(pixels: Pixels, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def labelled_shapes(folder: Path, each: int) -> Path:
    """`folder/disc/*.png` and `folder/bar/*.png`, so many of each."""
    for number, kind in enumerate(("disc", "bar")):
        for i in range(each):
            saved(shape(kind, 1000 * number + i), folder / kind / f"{i:03d}.png")
    return folder

"""Spoils pictures on purpose, so that an evaluation and the tests see what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.images.pictures import Picture

Spoil = Callable[[Picture], Picture]

#: deviation of the bell of a blur: pixels at least, and a share of the picture's width
BLUR_PIXELS, BLUR_SHARE = 1.5, 1 / 80


def dark(picture: Picture) -> Picture:
    return _changed(picture, lambda x: x * 0.12)


def overexposed(picture: Picture) -> Picture:
    return _changed(picture, lambda x: 215 + x * 0.3)


def flat(picture: Picture) -> Picture:
    return _changed(picture, lambda x: 128 + (x - 128) * 0.08)


def negative(picture: Picture) -> Picture:
    return _changed(picture, lambda x: 255 - x)


def blurred(picture: Picture) -> Picture:
    """As a lens out of focus does."""
    width = picture.pixels.shape[1]
    smooth = _smoothed(picture.pixels.astype(np.float64), max(BLUR_PIXELS, BLUR_SHARE * width))
    return Picture(picture.name, np.rint(smooth).astype(np.uint8), picture.grey)


def quarter_turned(picture: Picture, quarters: int) -> Picture:
    return Picture(picture.name, np.ascontiguousarray(np.rot90(picture.pixels, quarters)), picture.grey)


#: pictures of any kind that show too little
POOR: Mapping[str, Spoil] = {"dark": dark, "overexposed": overexposed, "flat": flat, "blurred": blurred}


def _changed(picture: Picture, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Picture:
    pixels = np.clip(change(picture.pixels.astype(np.float64)), 0, 255).astype(np.uint8)
    return Picture(picture.name, pixels, picture.grey)


def _smoothed(pixels: NDArray[np.float64], deviation: float) -> NDArray[np.float64]:
    """(height, width, 3) under a Gaussian bell, borders repeated."""
    reach = int(np.ceil(3 * deviation))
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    for axis in (0, 1):
        wide = np.pad(pixels, [(reach, reach) if i == axis else (0, 0) for i in range(3)], mode="edge")
        length = pixels.shape[axis]
        parts = (w * wide.take(range(i, i + length), axis) for i, w in enumerate(bell / bell.sum()))
        pixels = np.sum(list(parts), axis=0)
    return pixels

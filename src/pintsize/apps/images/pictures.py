"""Picture files as whoever took them left them: read upright, in 8 bits, or refused with the reason.

A turn that the file notes (EXIF) is undone, what is transparent is put on white, 16 bits are brought to 8 by the whole
range that the picture uses, because scanners and X-ray devices use a part of it alone.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import DataError, MissingExtra

Pixels = NDArray[np.uint8]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".pgm", ".ppm")
#: a picture with a shorter side shows nothing
SMALLEST_SIDE = 8
#: pixels; a larger one is a mistake or meant to exhaust the memory
LARGEST_PIXELS = 100_000_000
_WIDE_MODES = ("I", "F")


@dataclass(frozen=True, eq=False)
class Picture:
    """name: as it is told; pixels: (height, width, 3) uint8, upright; grey: whether the file has no colours."""

    name: str
    pixels: Pixels
    grey: bool


def read_picture(path: Path, name: str | None = None) -> Picture:
    """The picture in a file; of an animation the first. Raises DataError saying why it cannot be used."""
    pillow = _pillow()
    told = name or path.name
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            warnings.simplefilter("ignore", UserWarning)  # of odd EXIF blocks, which are left out
            with pillow.open(path) as image:
                _require_size(image.size, told)
                return Picture(told, *_upright(image))
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist") from error
    except (
        OSError, SyntaxError, ValueError, EOFError, pillow.DecompressionBombError, pillow.DecompressionBombWarning,
    ) as error:  # fmt: skip
        raise DataError(f"{told} cannot be read as a picture: {error}") from error


def picture_files(source: Path) -> list[Path]:
    """The file itself, or those below a folder in the order of their names; hidden ones are left out.

    Raises DataError where there is none.
    """
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise DataError(f"{source} does not exist: give a picture or a folder of pictures")
    found = [p for p in sorted(source.rglob("*")) if p.is_file() and is_picture(p)]
    if not found:
        raise DataError(f"{source} has no picture in it ({', '.join(SUFFIXES)} are read)")
    return found


def is_picture(path: Path) -> bool:
    """By its name."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """(h, w, 3) or (h, w) → the same with another width and height; each new pixel is the mean of what it covers."""
    pillow = _pillow()
    image = pillow.fromarray(pixels).resize((width, height), pillow.Resampling.BOX)
    return np.asarray(image, np.uint8)


def square(pixels: Pixels) -> Pixels:
    """The middle, as wide as high."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side]


def grey_of(pixels: Pixels) -> Pixels:
    """(h, w, 3) → (h, w): luminance as in ITU-R BT.601, in whole numbers."""
    red, green, blue = (pixels[..., i].astype(np.int32) for i in range(3))
    return ((299 * red + 587 * green + 114 * blue + 500) // 1000).astype(np.uint8)


def _require_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if min(width, height) < SMALLEST_SIDE:
        raise DataError(
            f"{name} has {width}×{height} pixels: at least {SMALLEST_SIDE} on each side are needed"
        )
    if width * height > LARGEST_PIXELS:
        raise DataError(f"{name} has {width}×{height} pixels: up to {LARGEST_PIXELS:,} are read")


def _upright(image: Any) -> tuple[Pixels, bool]:
    """(h, w, 3) and whether the file is grey."""
    from PIL import ImageOps

    turned = ImageOps.exif_transpose(image)
    if turned.mode.startswith(_WIDE_MODES):
        grey = _in_8_bits(np.asarray(turned, np.float64))
        return np.repeat(grey[..., None], 3, axis=2), True
    if turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info:
        turned = _on_white(turned.convert("RGBA"))
    pixels = np.asarray(turned.convert("RGB"), np.uint8)
    return pixels, bool((pixels == pixels[..., :1]).all())


def _on_white(image: Any) -> Any:
    white = _pillow().new("RGBA", image.size, (255, 255, 255, 255))
    return _pillow().alpha_composite(white, image)


def _in_8_bits(values: NDArray[np.float64]) -> Pixels:
    """From its least to its largest value; a flat one stays flat."""
    if not np.isfinite(values).all():
        raise ValueError("it has values that are no numbers")
    least, largest = values.min(), values.max()
    if largest <= 255 and least >= 0:
        return np.rint(values).astype(np.uint8)
    return np.rint((values - least) * (255.0 / max(largest - least, 1.0))).astype(np.uint8)


def _pillow() -> ModuleType:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtra("pillow", "images") from error
    return Image

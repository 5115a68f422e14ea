"""Whether a picture can be looked at at all: statistics in whole numbers, the same in Python and in C.

    brightness   mean of the grey values                                       0..255
    contrast     mean distance from that mean, in sixteenths
    sharpness    bends (Laplacian) by steps (to the right and down), sums over the picture, in 1024ths; of a picture
                 wider than 80 pixels, of the means of blocks, so that grain does not count
    colour       mean distance of a pixel's largest and smallest channel, in sixteenths
    reddish      mean of red minus green, and
    bluish       mean of blue minus green, in sixteenths, 4096 added
    clipped      thousandths of the pixels that are all but black or white

All divisions round down; grey values are those of `pictures.grey_of`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.images.pictures import Pixels, grey_of
from pintsize.errors import UserError

NAMES = ("brightness", "contrast", "sharpness", "colour", "reddish", "bluish", "clipped")
#: grey values that count as clipped lie at most so far from black or white
CLIPPED = 4
#: blocks across a picture, at least, where it is wider
COARSE_WIDTH = 80
#: a tint that is none
COLOURLESS = 4096
_TINT = "its colours are not those of such a picture"
#: what is beyond a range, in words: (below, above)
REASONS: Mapping[str, tuple[str, str]] = {
    "brightness": ("it is too dark", "it is overexposed"),
    "contrast": ("it is flat: next to nothing can be told apart in it", "its contrast is too hard"),
    "sharpness": ("it is blurred", "it is grainy or no such picture"),
    "colour": ("it has no colours", "it has colours that such a picture does not have"),
    "reddish": (_TINT, _TINT),
    "bluish": (_TINT, _TINT),
    "clipped": ("nothing in it is black or white", "large parts are all black or all white"),
}
#: the order in which reasons are looked for: what explains the others first
_ORDER = ("brightness", "contrast", "clipped", "colour", "reddish", "bluish", "sharpness")


@dataclass(frozen=True)
class Statistics:
    """Of one picture, see the head of this file."""

    brightness: int
    contrast: int
    sharpness: int
    colour: int
    reddish: int
    bluish: int
    clipped: int


@dataclass(frozen=True)
class Gate:
    """ranges: statistic → (least, most) that pictures may have. Raises UserError for one that is not known."""

    ranges: Mapping[str, tuple[int, int]]

    def __post_init__(self) -> None:
        unknown = sorted(set(self.ranges) - set(NAMES))
        if unknown:
            raise UserError(f"{', '.join(unknown)}: the statistics are {', '.join(NAMES)}")

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Gate:
        """As `facts` wrote it."""
        return cls({name: (int(least), int(most)) for name, (least, most) in facts.items()})

    def facts(self) -> dict[str, list[int]]:
        """For a manifest."""
        return {name: list(ends) for name, ends in self.ranges.items()}

    def refuses(self, found: Statistics) -> str | None:
        """Why the picture cannot be looked at; None where it can."""
        name = self.first_out(found)
        return None if name is None else REASONS[name][getattr(found, name) > self.ranges[name][1]]

    def first_out(self, found: Statistics) -> str | None:
        """The statistic that is out of its range; of several the one that explains the others."""
        for name in _ORDER:
            least, most = self.ranges.get(name, (0, 1 << 30))
            if not least <= getattr(found, name) <= most:
                return name
        return None


def statistics(pixels: Pixels) -> Statistics:
    """pixels: (height, width, 3), at the size at which the model sees it."""
    grey = grey_of(pixels).astype(np.int64)
    count = grey.size
    brightness = int(grey.sum()) // count
    contrast = 16 * int(np.abs(grey - brightness).sum()) // count
    coarse = _blocks(grey)
    steps = int(np.abs(np.diff(coarse, axis=0)).sum() + np.abs(np.diff(coarse, axis=1)).sum())
    channels = pixels.astype(np.int64)
    colour = 16 * int((channels.max(2) - channels.min(2)).sum()) // count
    red, green, blue = (int(channels[..., i].sum()) for i in range(3))
    tints = (COLOURLESS + 16 * (red - green) // count, COLOURLESS + 16 * (blue - green) // count)
    clipped = 1000 * int(((grey <= CLIPPED) | (grey >= 255 - CLIPPED)).sum()) // count
    return Statistics(brightness, contrast, 1024 * _bends(coarse) // max(steps, 1), colour, *tints, clipped)


def _blocks(grey: NDArray[np.int64]) -> NDArray[np.int64]:
    """Means of square blocks, rounded down; what is left over on the right and below is left out."""
    side = max(1, grey.shape[1] // COARSE_WIDTH)
    rows, columns = grey.shape[0] // side, grey.shape[1] // side
    whole = grey[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return whole.sum((1, 3)) // (side * side)


def _bends(grey: NDArray[np.int64]) -> int:
    """How far pixels lie from their four neighbours, summed: blur takes it away before it takes away steps."""
    inner = 4 * grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return int(np.abs(inner - around).sum())


def gate_of(pictures: Iterable[Pixels], names: Sequence[str], slack: float = 0.15) -> Gate:
    """A gate that lets these pictures pass (but for one in 500 on each side), and what is less or more by `slack`."""
    found = [statistics(pixels) for pixels in pictures]
    ranges: dict[str, tuple[int, int]] = {}
    for name in names:
        values = np.array([getattr(each, name) for each in found])
        least, most = np.quantile(values, [0.002, 0.998])
        if name in ("reddish", "bluish"):  # differences, which know no factor
            room = slack * (most - least) + 16
            ranges[name] = (int(least - room), int(np.ceil(most + room)))
            continue
        ranges[name] = (int((1 - slack) * least), int(np.ceil((1 + slack) * most)) + 1)
    return Gate(ranges)

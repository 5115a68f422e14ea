"""What the X-ray model learns from: labelled X-rays, the same turned, and pictures that are no chest X-ray."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.images.pictures import Pixels, grey_of, is_picture, read_picture, resized, square
from pintsize.errors import DataError

FOLDER, FILE = "xray_pneumoniamnist", "pneumoniamnist.npz"
SIDE = 28
NORMAL, PNEUMONIA, TURNED, OTHER = LABELS = ("normal", "pneumonia", "turned", "no chest X-ray")
#: sets of other pictures: those that are learnt from, and those that an evaluation shows
OTHERS_LEARNT = ("scenes_eurosat/train", "objects_caltech20/train")
OTHERS_UNSEEN = ("scenes_weather/val", "bloodcells_bccd/images", "faces_caltech")
MOST_OTHERS = 600


@dataclass(frozen=True, eq=False)
class XRays:
    """x: (n, SIDE, SIDE) uint8; y: (n,) 0 normal, 1 pneumonia; part: of the file."""

    x: Pixels
    y: NDArray[np.int64]
    part: str


def xrays(data: Path, part: str) -> XRays:
    """data: the folder of data sets; part: train, val or test. Raises DataError where it is not there."""
    path = data / FOLDER / FILE
    try:
        with np.load(path, allow_pickle=False) as archive:
            x, y = archive[f"{part}_images"], archive[f"{part}_labels"].reshape(-1)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path} has no part {part!r}: {error}") from error
    return XRays(np.ascontiguousarray(x, np.uint8), y.astype(np.int64), part)


def unseen_xrays(data: Path) -> XRays:
    """The official test part where it is there, else the validation part; neither is seen by training or choices."""
    try:
        return xrays(data, "test")
    except DataError:
        return xrays(data, "val")


def other_pictures(data: Path, sets: Sequence[str], most: int = MOST_OTHERS) -> Pixels:
    """(n, SIDE, SIDE) grey pictures that are no X-rays, as many of each set; sets that are not there are left out."""
    found: list[Pixels] = []
    for name in sets:
        files = sorted(p for p in (data / name).rglob("*") if is_picture(p)) if (data / name).is_dir() else []
        chosen = np.unique(np.linspace(0, len(files) - 1, min(most, len(files))).astype(int)) if files else []
        found += [small(grey_of(read_picture(files[i]).pixels)) for i in chosen]
    return np.stack(found) if found else np.zeros((0, SIDE, SIDE), np.uint8)


def small(grey: Pixels) -> Pixels:
    """The middle of a picture as the model sees it: (SIDE, SIDE)."""
    return resized(square(grey), SIDE, SIDE)


def drawn_others(x: Pixels, count: int, random: np.random.Generator) -> Pixels:
    """Pictures that are no chest X-ray, made here: negatives of X-rays, noise, slopes, stripes, and parts of X-rays."""
    kinds = (_negative, _noise, _slope, _stripes, _part)
    made = [kinds[i % len(kinds)](x[random.integers(len(x))], random) for i in range(count)]
    return np.stack(made)


def turned(x: Pixels, random: np.random.Generator) -> Pixels:
    """Each X-ray turned by 90, 180 or 270 degrees."""
    return np.stack([np.rot90(one, int(random.integers(1, 4))) for one in x])


def _negative(x: Pixels, random: np.random.Generator) -> Pixels:
    return (255 - x).astype(np.uint8)


def _noise(x: Pixels, random: np.random.Generator) -> Pixels:
    cells = int(random.choice([4, 7, 14, SIDE]))
    coarse = random.integers(0, 256, (cells, cells)).astype(np.uint8)
    return resized(coarse, SIDE, SIDE)


def _slope(x: Pixels, random: np.random.Generator) -> Pixels:
    axis = np.linspace(-1, 1, SIDE)
    plane = random.normal() * axis[:, None] + random.normal() * axis
    return _stretched(plane, random)


def _stripes(x: Pixels, random: np.random.Generator) -> Pixels:
    axis = np.arange(SIDE)
    angle, period = random.uniform(0, np.pi), random.uniform(3, 14)
    wave = np.sin(2 * np.pi / period * (np.cos(angle) * axis[:, None] + np.sin(angle) * axis))
    return _stretched(wave, random)


def _part(x: Pixels, random: np.random.Generator) -> Pixels:
    side = int(random.integers(7, 12))
    top, left = random.integers(0, SIDE - side, 2)
    return resized(np.ascontiguousarray(x[top : top + side, left : left + side]), SIDE, SIDE)


def _stretched(values: NDArray[np.float64], random: np.random.Generator) -> Pixels:
    low, high = sorted(random.uniform(0, 255, 2))
    share = (values - values.min()) / max(float(np.ptp(values)), 1e-9)
    return np.clip(low + (high - low) * share + random.normal(0, 4, values.shape), 0, 255).astype(np.uint8)

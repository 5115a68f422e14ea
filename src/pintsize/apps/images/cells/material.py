"""The pictures of blood smears with their boxes, and what a detector learns from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.images.cells.peaks import CLASSES
from pintsize.apps.images.pictures import Pixels, read_picture, resized
from pintsize.errors import DataError

FOLDER = "bloodcells_bccd"
WIDTH, HEIGHT = 320, 240
#: the labels of the data set, in the order of CLASSES
LABELS = ("RBC", "WBC", "Platelets")
#: files of a part that no training and no choice saw, the first one that is there
UNSEEN = ("test.json", "heldout.json", "val.json")
#: a picture of a smear with fewer red cells marked was not marked for red cells
FEWEST_RED = 4


@dataclass(frozen=True, eq=False)
class Smear:
    """name: of the file; pixels: (HEIGHT, WIDTH, 3); centres: of each class (n, 2) as (x, y) in pixels."""

    name: str
    pixels: Pixels
    centres: tuple[NDArray[np.float64], ...]

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many cells of each class are marked."""
        return np.array([len(points) for points in self.centres])


def smears(data: Path, part: str) -> list[Smear]:
    """data: the folder of data sets; part: a file such as train.json. Raises DataError where it is not there."""
    home = data / FOLDER
    try:
        rows = json.loads((home / part).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{home / part} is not there: {error.strerror}") from error
    except ValueError as error:
        raise DataError(f"{home / part} is damaged: {error}") from error
    return [_smear(home, row) for row in rows]


def unseen_part(data: Path) -> str:
    """Which part an evaluation takes. Raises DataError where there is none."""
    for part in UNSEEN:
        if (data / FOLDER / part).is_file():
            return part
    raise DataError(f"{data / FOLDER} has none of {', '.join(UNSEEN)}")


def _smear(home: Path, row: dict[str, object]) -> Smear:
    try:
        picture = read_picture(home / str(row["file"]))
        scale = WIDTH / picture.pixels.shape[1], HEIGHT / picture.pixels.shape[0]
        boxes: Sequence[dict[str, object]] = row["objects"]  # type: ignore[assignment]
        centres = tuple(_centres(boxes, label, scale) for label in LABELS)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{home}: an entry is damaged: {type(error).__name__}: {error}") from error
    return Smear(picture.name, resized(picture.pixels, WIDTH, HEIGHT), centres)


def _centres(
    boxes: Sequence[dict[str, object]], label: str, scale: tuple[float, float]
) -> NDArray[np.float64]:
    corners = np.array([box["box"] for box in boxes if box["label"] == label], np.float64).reshape(-1, 2, 2)
    return corners.mean(1) * scale


def marked_classes(smear: Smear) -> NDArray[np.bool_]:
    """Of which classes the marks are to be believed."""
    return np.array([name != "red" or smear.counts[i] >= FEWEST_RED for i, name in enumerate(CLASSES)])

"""A user's folder of labelled pictures: `<label>/<picture>`, or `<part>/<label>/<picture>` where it is divided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.images.own.own import seen_at
from pintsize.apps.images.pictures import Picture, Pixels, is_picture, read_picture
from pintsize.errors import DataError
from pintsize.labelled_files import PART_NAMES

#: sides in pixels that a model may have; the first that is not smaller than half of the pictures, else the last
SIDES = (32, 48)


@dataclass(frozen=True)
class Named:
    """A picture's file, its label, and its part ("" where the folder is not divided)."""

    path: Path
    label: str
    part: str


@dataclass(frozen=True, eq=False)
class Labelled:
    """x: (n, side, side, 3); y: (n,) indices into labels; names, parts: (n,); grey: whether none has colours.

    left_out: files that could not be read, with the reason.
    """

    x: Pixels
    y: NDArray[np.int64]
    labels: tuple[str, ...]
    names: tuple[str, ...]
    parts: tuple[str, ...]
    grey: bool
    left_out: tuple[str, ...]

    def take(self, rows: NDArray[np.intp]) -> Labelled:
        """These pictures alone, with all labels."""
        return Labelled(
            self.x[rows], self.y[rows], self.labels, tuple(self.names[i] for i in rows),
            tuple(self.parts[i] for i in rows), self.grey, self.left_out,
        )  # fmt: skip


def read_labelled(folder: Path, side: int | None = None) -> Labelled:
    """All pictures that can be read; side: of what the model sees, chosen by the pictures' sizes where it is None.

    Raises DataError for a folder without labels, and for one in which no picture can be read.
    """
    files = list(_files(folder))
    pictures: list[tuple[Named, Picture]] = []
    left_out: list[str] = []
    for file in files:
        try:
            pictures.append((file, read_picture(file.path, str(file.path.relative_to(folder)))))
        except DataError as error:
            left_out.append(str(error))
    if not pictures:
        raise DataError(f"{folder}: none of the {len(files)} pictures can be read. The first: {left_out[0]}")
    at = side or _side_of([p for _, p in pictures])
    labels = tuple(sorted({file.label for file in files}))
    return Labelled(
        np.stack([seen_at(p, at) for _, p in pictures]),
        np.array([labels.index(file.label) for file, _ in pictures], np.int64),
        labels,
        tuple(p.name for _, p in pictures),
        tuple(file.part for file, _ in pictures),
        all(p.grey for _, p in pictures),
        tuple(left_out),
    )


def _side_of(pictures: Sequence[Picture]) -> int:
    middle = float(np.median([min(p.pixels.shape[:2]) for p in pictures]))
    return next((side for side in SIDES if side >= middle), SIDES[-1])


def _files(folder: Path) -> Iterator[Named]:
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder: give one with a subfolder of pictures for each label")
    inside = _subfolders(folder)
    if not inside:
        raise DataError(f"{folder} has no label folders in it: {folder.name}/<label>/<picture> is read")
    divided = all(f.name.lower() in PART_NAMES and _subfolders(f) for f in inside)
    for outer in inside:
        part = PART_NAMES[outer.name.lower()] if divided else ""
        for label in _subfolders(outer) if divided else [outer]:
            found = [p for p in sorted(label.rglob("*")) if p.is_file() and is_picture(p)]
            if not found:
                raise DataError(f"{label} has no picture in it: put some there, or take the folder away")
            yield from (Named(path, label.name, part) for path in found)


def _subfolders(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))

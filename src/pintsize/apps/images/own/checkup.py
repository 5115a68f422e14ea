"""What is wrong with a folder of pictures is said before minutes are spent on training."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.images.own.folder import Labelled
from pintsize.errors import DataError

#: pictures of a label, at least: some to learn from, some to choose by, some to report on
FEWEST = 8
#: labels with fewer learn little; and one label with so many times the pictures of another drowns it
FEW, UNEVEN = 40, 10
#: names that a message holds
SHOWN = 5
_ORDER = {"test": 0, "validation": 1, "train": 2, "": 3}


@dataclass(frozen=True, eq=False)
class Checkup:
    """What is left to learn from, and what a person should know."""

    pictures: Labelled
    remarks: tuple[str, ...]


def checked(given: Labelled) -> Checkup:
    """Copies are left out, so that no picture is learnt from and reported on.

    Raises DataError for fewer than two labels, and for a label with too few pictures.
    """
    remarks = [_some(f"{len(given.left_out)} files are left out", given.left_out)] if given.left_out else []
    rows, told = _without_copies(given)
    kept = given.take(rows)
    _require_enough(kept, given)
    return Checkup(kept, (*remarks, *told, *_of_counts(kept)))


def _require_enough(kept: Labelled, given: Labelled) -> None:
    if len(given.labels) < 2:
        raise DataError(
            f"there is one label only ({', '.join(given.labels)}): a classifier needs two or more"
        )
    counts = {name: int((kept.y == i).sum()) for i, name in enumerate(kept.labels)}
    few = [f"{name} ({count})" for name, count in counts.items() if count < FEWEST]
    if few:
        raise DataError(
            f"too few different pictures that can be read: {', '.join(few[:SHOWN])}. Each label needs {FEWEST} or "
            f"more, and {FEW} to be of use: some are learnt from, some chosen by, some reported on"
        )


def _without_copies(given: Labelled) -> tuple[NDArray[np.intp], list[str]]:
    """The rows to keep: of copies the one in the part furthest from training; none where their labels differ."""
    groups: dict[bytes, list[int]] = defaultdict(list)
    for row, pixels in enumerate(given.x):
        groups[hashlib.sha256(pixels.tobytes()).digest()].append(row)
    copies = [rows for rows in groups.values() if len(rows) > 1]
    contradicting = [rows for rows in copies if len({int(given.y[r]) for r in rows}) > 1]
    across = [rows for rows in copies if len({given.parts[r] for r in rows}) > 1]
    gone = {r for rows in contradicting for r in rows}
    for rows in copies:
        ranked = sorted(rows, key=lambda r: (_ORDER[given.parts[r]], r))
        gone |= set(ranked[1:])
    told: list[str] = []
    for found, what in (
        (contradicting, "pictures lie under several labels and are left out altogether"),
        (across, "pictures lie in several parts; the part for reporting keeps them"),
        (copies, "pictures are there more than once; one of each is kept"),
    ):
        if found:
            names = tuple(" = ".join(given.names[r] for r in rows) for rows in found)
            told.append(_some(f"{len(found)} {what}", names))
    return np.array([r for r in range(len(given.y)) if r not in gone], np.intp), told


def _of_counts(kept: Labelled) -> list[str]:
    counts = {name: int((kept.y == i).sum()) for i, name in enumerate(kept.labels)}
    told = [", ".join(f"{name}: {count}" for name, count in counts.items())]
    few = [name for name, count in counts.items() if count < FEW]
    if few:
        told.append(_some(f"fewer than {FEW} pictures make a weak model", tuple(few)))
    least, most = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    if counts[most] > UNEVEN * counts[least]:
        told.append(
            f"{most} has {counts[most]} pictures and {least} {counts[least]}: all are shown as often, yet more of "
            f"{least} would help"
        )
    return told


def _some(what: str, names: tuple[str, ...]) -> str:
    shown: Callable[[tuple[str, ...]], str] = "; ".join
    more = f"; and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{what}: {shown(names[:SHOWN])}{more}"

"""The honest metrics of the shipped detector, on pictures that neither training nor any choice saw.

`cells_count_error_<class>` is Σ |found − marked| / Σ marked over all pictures of the part: how far counts of a picture
are off, by how many cells a picture has. `cells_count_error` is the mean of the three. Every picture of the part
counts, also one that the gate would have refused, and one on which the annotators left cells out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.evidence import Evaluation, bootstrap
from pintsize.apps.images.cells.cells import Cells
from pintsize.apps.images.cells.material import Smear, marked_classes, smears, unseen_part
from pintsize.apps.images.cells.peaks import CLASSES
from pintsize.apps.images.gate import statistics
from pintsize.apps.images.pictures import Picture
from pintsize.apps.images.spoiling import POOR

_RED = CLASSES.index("red")


def evaluate(data: Path, weights: Path | None = None) -> Evaluation:
    """data: the folder of data sets; deterministic, without torch. Raises DataError where smears are not there."""
    model, part = Cells.load(weights), unseen_part(data)
    unseen = smears(data, part)
    found = np.array([list(model.find(s.pixels).counts.values()) for s in unseen])
    marked = np.stack([s.counts for s in unseen])
    names = [s.name for s in unseen]
    intervals = {
        f"cells_count_error_{name}": bootstrap(
            lambda rows, i=i: count_error(found[rows, i], marked[rows, i]), names
        )
        for i, name in enumerate(CLASSES)
    }
    intervals["cells_count_error"] = bootstrap(lambda rows: mean_error(found[rows], marked[rows]), names)
    believed = np.array([marked_classes(s)[_RED] for s in unseen])
    figures = model.artifact.manifest.content.get("figures", {})
    metrics = {
        **{name: interval.value for name, interval in intervals.items()},
        "cells_count_error_red_where_marked": count_error(found[believed, _RED], marked[believed, _RED]),
        "cells_pictures": float(len(unseen)),
        **_refusals(model, unseen),
        "images_cells_flash_bytes": float(figures.get("program_flash_bytes", float("nan"))),
    }
    return Evaluation(metrics, intervals, (), _notes(part, int((~believed).sum())))


def count_error(found: NDArray[np.int64], marked: NDArray[np.int64]) -> float:
    """(pictures,) of one class: Σ |found − marked| / Σ marked; NaN where none is marked."""
    total = int(marked.sum())
    return float(np.abs(found - marked).sum()) / total if total else float("nan")


def mean_error(found: NDArray[np.int64], marked: NDArray[np.int64]) -> float:
    """(pictures, classes): the mean of the classes' errors."""
    return float(np.mean([count_error(found[:, i], marked[:, i]) for i in range(found.shape[1])]))


def _refusals(model: Cells, unseen: list[Smear]) -> dict[str, float]:
    """Shares of pictures that the gate refuses, as they are and spoilt on purpose."""

    def share(pictures: list[Picture]) -> float:
        return float(np.mean([model.gate.refuses(statistics(p.pixels)) is not None for p in pictures]))

    plain = [Picture(s.name, s.pixels, False) for s in unseen]
    spoilt = {f"cells_refused_{name}": share([spoil(p) for p in plain]) for name, spoil in POOR.items()}
    return {"cells_ungradable": share(plain), **spoilt}


def _notes(part: str, unmarked: int) -> tuple[str, ...]:
    return (
        f"Blood cells: the part {part}; a count error is Σ |found − marked| / Σ marked over its pictures. On "
        f"{unmarked} of them the annotators marked fewer than four red cells where there are more: they count as they "
        "are in cells_count_error_red, and are left out of cells_count_error_red_where_marked.",
    )

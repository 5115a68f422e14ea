"""The shipped cell detector: what a run and an evaluation ask of it, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.images.answer import SCREENING, UNGRADABLE, Answer, refused
from pintsize.apps.images.cells.peaks import CLASSES, Peak, Rule, counted, rules_of
from pintsize.apps.images.gate import Gate, statistics
from pintsize.apps.images.pictures import Picture, Pixels, resized
from pintsize.errors import UserError
from pintsize.stream.artifact import Artifact, load

WEIGHTS = Path(__file__).parent.parent / "weights" / "cells"
#: the entry of manifest.json that holds what a run needs beside the artifact
FACTS = "cells"
REPEAT = "repeat, because "


@dataclass(frozen=True)
class Found:
    """counts: of each class; cells: where they are shown, in the heatmap's places; seen: (height, width, 3) the picture
    that was looked at.
    """

    counts: Mapping[str, int]
    cells: tuple[list[Peak], ...]
    seen: Pixels


@dataclass(frozen=True, eq=False)
class Cells:
    """gate: of statistics; rules: what counts as a cell, by class."""

    artifact: Artifact
    gate: Gate
    rules: tuple[Rule, ...]

    @classmethod
    def load(cls, folder: Path | None = None) -> Cells:
        """Raises UserError for a folder that holds no such model, VerificationError for one that was changed."""
        artifact = load(folder or WEIGHTS)
        facts = artifact.manifest.content.get(FACTS)
        if not isinstance(facts, dict):
            raise UserError(f"{folder} holds {artifact.manifest.name}, which is no detector of cells")
        return cls(artifact, Gate.read(facts["gate"]), rules_of(facts["rules"]))

    def seen(self, picture: Picture) -> Pixels:
        """The middle of the picture at the model's size; one that is higher than wide is turned."""
        height, width, _ = self.artifact.input.shape
        pixels = picture.pixels
        if (pixels.shape[0] > pixels.shape[1]) != (height > width):
            pixels = np.rot90(pixels)
        return resized(_of_shape(np.ascontiguousarray(pixels), width / height), width, height)

    def heatmaps(self, seen: Pixels) -> NDArray[np.int8]:
        """(height, width, 3) → codes (rows, columns, classes)."""
        self.artifact.reset()
        return self.artifact.run(self.artifact.input.quantize(seen))

    def find(self, seen: Pixels) -> Found:
        """Whatever the quality of the picture."""
        maps = self.heatmaps(seen)
        found = [counted(maps[..., i], rule) for i, rule in enumerate(self.rules)]
        counts = {name: count for name, (count, _) in zip(CLASSES, found, strict=True)}
        return Found(counts, tuple(cells for _, cells in found), seen)

    def look(self, picture: Picture) -> tuple[Answer, Found | None]:
        """How many cells there are, and where; or why they cannot be counted."""
        seen = self.seen(picture)
        reason = self.gate.refuses(statistics(seen))
        if reason is not None:
            return refused(UNGRADABLE, REPEAT + reason), None
        found = self.find(seen)
        if not any(found.cells):
            return refused(UNGRADABLE, f"{REPEAT}no cell is to be seen in it"), found
        counts = {name: str(count) for name, count in found.counts.items()}
        value = ", ".join(f"{name} {count}" for name, count in counts.items())
        return Answer("counted", value, None, SCREENING, counts), found

    def ask(self, picture: Picture) -> Answer:
        """As `look`, without the places."""
        return self.look(picture)[0]


def _of_shape(pixels: Pixels, share: float) -> Pixels:
    """The middle, with this width by height."""
    height, width = pixels.shape[:2]
    wide, high = min(width, round(height * share)), min(height, round(width / share))
    top, left = (height - high) // 2, (width - wide) // 2
    return pixels[top : top + high, left : left + wide]

"""A trained model of a user's own classes: what a run asks of it, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.chances import CHANCE_BITS, Chances
from pintsize.apps.images.answer import UNGRADABLE, UNSURE, Answer, refused
from pintsize.apps.images.gate import Gate, statistics
from pintsize.apps.images.pictures import Picture, Pixels, grey_of, resized, square
from pintsize.errors import UserError
from pintsize.stream.artifact import Artifact, load

#: the entry of manifest.json that holds what a run needs beside the artifact
FACTS = "own"
#: a chance that is certain
ONE = 1 << CHANCE_BITS


@dataclass(frozen=True, eq=False)
class OwnPictures:
    """gate: of statistics; least: probability below which no class is told."""

    artifact: Artifact
    gate: Gate
    least: float

    @classmethod
    def load(cls, folder: Path) -> OwnPictures:
        """Raises UserError for a folder that holds no such model, VerificationError for one that was changed."""
        artifact = load(folder)
        facts = artifact.manifest.content.get(FACTS)
        if not isinstance(facts, dict):
            raise UserError(f"{folder} holds {artifact.manifest.name}, which is no model of own pictures")
        return cls(artifact, Gate.read(facts["gate"]), float(facts["least"]))

    def seen(self, picture: Picture) -> Pixels:
        """(side, side, 3): the middle of the picture at the model's size."""
        return seen_at(picture, self.artifact.input.shape[0])

    def chances(self, seen: Pixels) -> NDArray[np.int64]:
        """(side, side, 3) → (labels,) probabilities, as whole multiples of 2^-15."""
        pixels = seen if self.artifact.input.shape[-1] == 3 else grey_of(seen)
        self.artifact.reset()
        outputs = self.artifact.output.dequantize(self.artifact.run(self.artifact.input.quantize(pixels)))
        return Chances(self.artifact.output, self.artifact.manifest.calibration).integers(outputs)

    def ask(self, picture: Picture) -> Answer:
        """The class; or why none is told."""
        seen = self.seen(picture)
        reason = self.gate.refuses(statistics(seen))
        if reason is not None:
            return refused(UNGRADABLE, f"unlike the pictures that were learnt from: {reason}")
        return self.judged(self.chances(seen))

    def judged(self, found: NDArray[np.int64]) -> Answer:
        """found: (labels,) chances of a picture that passed the gate."""
        best = int(found.argmax())
        label, confidence = self.artifact.labels[best], int(found[best]) / ONE
        if found[best] < ceil(self.least * ONE):
            reason = f"unsure: {label!r} with {confidence:.2f}, {self.least:.2f} is needed"
            return Answer(UNSURE, None, confidence, reason)
        return Answer("label", label, confidence)


def seen_at(picture: Picture, side: int) -> Pixels:
    """(side, side, 3): the middle of the picture, as wide as high, at this size."""
    return resized(square(picture.pixels), side, side)

"""The shipped X-ray model: what a run and an evaluation ask of it, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.chances import CHANCE_BITS, Chances
from pintsize.apps.images.answer import SCREENING, UNGRADABLE, UNSURE, Answer, refused
from pintsize.apps.images.gate import Gate, statistics
from pintsize.apps.images.pictures import Picture, Pixels, grey_of, resized, square
from pintsize.apps.images.xray.material import LABELS, NORMAL, OTHER, PNEUMONIA, TURNED
from pintsize.errors import UserError
from pintsize.stream.artifact import Artifact, load

WEIGHTS = Path(__file__).parent.parent / "weights" / "xray"
#: the entry of manifest.json that holds what a run needs beside the artifact
FACTS = "xray"
#: a chance that is certain
ONE = 1 << CHANCE_BITS
REPEAT = "repeat, because "
REASONS = {
    TURNED: "it looks turned: the head belongs up",
    OTHER: "it does not look like a chest X-ray from the front",
}


@dataclass(frozen=True, eq=False)
class XRay:
    """gate: of statistics; most_odd: probability of "turned" and "no chest X-ray" together, above which it is refused;
    least: probability below which neither answer is told.
    """

    artifact: Artifact
    gate: Gate
    most_odd: float
    least: float

    @classmethod
    def load(cls, folder: Path | None = None) -> XRay:
        """Raises UserError for a folder that holds no such model, VerificationError for one that was changed."""
        artifact = load(folder or WEIGHTS)
        facts = artifact.manifest.content.get(FACTS)
        if not isinstance(facts, dict) or artifact.labels != LABELS:
            raise UserError(f"{folder} holds {artifact.manifest.name}, which is no model of chest X-rays")
        return cls(artifact, Gate.read(facts["gate"]), float(facts["most_odd"]), float(facts["least"]))

    @property
    def side(self) -> int:
        return self.artifact.input.shape[0]

    def seen(self, picture: Picture) -> Pixels:
        """(side, side, 3): the middle of the picture as the model sees it."""
        return resized(square(picture.pixels), self.side, self.side)

    def chances(self, seen: Pixels) -> NDArray[np.int64]:
        """(side, side, 3) → (labels,) probabilities, as whole multiples of 2^-15."""
        self.artifact.reset()
        codes = self.artifact.run(self.artifact.input.quantize(grey_of(seen)))
        outputs = self.artifact.output.dequantize(codes)
        return Chances(self.artifact.output, self.artifact.manifest.calibration).integers(outputs)

    def ask(self, picture: Picture) -> Answer:
        """Pneumonia or normal; or why the picture cannot be graded, and should be repeated."""
        seen = self.seen(picture)
        reason = self.gate.refuses(statistics(seen))
        if reason is not None:
            return refused(UNGRADABLE, REPEAT + reason)
        return self.judged(self.chances(seen))

    def judged(self, found: NDArray[np.int64]) -> Answer:
        """found: (labels,) chances of a picture that passed the gate."""
        chance = dict(zip(LABELS, found.tolist(), strict=True))
        if chance[TURNED] + chance[OTHER] > int(self.most_odd * ONE):
            return refused(UNGRADABLE, REPEAT + REASONS[max((TURNED, OTHER), key=chance.__getitem__)])
        sick = suspicion(found)
        value, sure = (PNEUMONIA, sick) if 2 * sick >= ONE else (NORMAL, ONE - sick)
        confidence, details = sure / ONE, {"pneumonia": f"{sick / ONE:.3f}"}
        if sure < ceil(self.least * ONE):
            reason = (
                f"unsure between {NORMAL} and {PNEUMONIA} ({self.least:.2f} is needed): let a physician look"
            )
            return Answer(UNSURE, None, confidence, reason, details)
        return Answer("label", value, confidence, SCREENING, details)


def suspicion(found: NDArray[np.int64]) -> int:
    """The chance of pneumonia, of ONE, given that it is a chest X-ray that can be graded."""
    sick, whole = int(found[1]), int(found[0] + found[1])
    return sick * ONE // whole if whole > 0 else ONE // 2

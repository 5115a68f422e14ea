"""The shipped digits, or one's own: what a run and an evaluation need of them, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.assistant.phrases.classifier import Classifier
from pintsize.apps.assistant.understood import Heard
from pintsize.stream.artifact import Artifact

WEIGHTS = Path(__file__).parent.parent / "weights" / "digits"
LABELS = tuple("0123456789")


@dataclass(frozen=True, eq=False)
class Digits:
    """A loaded model of spoken digits."""

    classifier: Classifier

    @classmethod
    def load(cls, folder: Path | None = None) -> Digits:
        """Raises UserError for a folder that holds no such model, VerificationError for one that was changed."""
        return cls(Classifier.load(folder or WEIGHTS))

    @property
    def artifact(self) -> Artifact:
        return self.classifier.artifact

    def recognise(self, samples: NDArray[np.int16]) -> Heard:
        """int16 (n,) mono at 16 kHz of one phrase → its digit, or None with the reason."""
        return self.classifier.recognise(samples)

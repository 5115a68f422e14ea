"""A loaded classifier of phrases: which one was said, or why none is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.assistant.phrases.window import window_of
from pintsize.apps.assistant.understood import Heard
from pintsize.apps.chances import Chances
from pintsize.errors import DataError, UserError
from pintsize.stream.artifact import Artifact, load

#: what is no phrase of the model: other speech, noise; its name in the labels
OTHER = "other"
#: the entry of manifest.json that holds what a run needs beside the artifact
FACTS = "phrases"


@dataclass(frozen=True, eq=False)
class Classifier:
    """labels of the artifact: one per output, `other` among them; least: probability below which it abstains."""

    artifact: Artifact
    least: float

    @classmethod
    def load(cls, folder: Path) -> Classifier:
        """Raises UserError for a folder that holds no classifier of phrases, VerificationError for a changed one."""
        artifact = load(folder)
        facts = artifact.manifest.content.get(FACTS)
        if not isinstance(facts, dict) or "least" not in facts or OTHER not in artifact.labels:
            raise UserError(f"{folder} holds {artifact.manifest.name}, which is no classifier of phrases")
        return cls(artifact, float(facts["least"]))

    def probabilities(self, samples: NDArray[np.int16]) -> NDArray[np.float64]:
        """int16 (n,) at 16 kHz → (labels,). Raises DataError for silence and for less than 30 ms."""
        window = window_of(samples, self.artifact.input.elements)
        self.artifact.reset()
        outputs = self.artifact.output.dequantize(self.artifact.run(window))
        return Chances(self.artifact.output, self.artifact.manifest.calibration).of(outputs)

    def recognise(self, samples: NDArray[np.int16]) -> Heard:
        """int16 (n,) at 16 kHz of one phrase, silence around it or not."""
        try:
            found = self.probabilities(samples)
        except DataError as error:
            return Heard(None, 0.0, str(error))
        best = int(found.argmax())
        label, confidence = self.artifact.labels[best], float(found[best])
        if label == OTHER:
            return Heard(None, confidence, "it is none of the known words")
        if confidence < self.least:
            return Heard(
                None, confidence, f"unsure: {label!r} with {confidence:.2f}, {self.least:.2f} is needed"
            )
        return Heard(label, confidence)

"""The shipped classifier: what kind of beat a beat is (AAMI N, S, V, F), or why that is not said."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.chances import Chances
from pintsize.apps.ecg.classes.context import MOST, RHYTHM, Codes, PatientContext
from pintsize.errors import UserError
from pintsize.stream.artifact import Artifact, load

WEIGHTS = Path(__file__).parent.parent / "weights" / "classes"
#: the entry of manifest.json that holds what a run needs beside the artifact
FACTS = "classes"
#: of the multiplier to the artifact's grid: 15 bits of it and 8 of a code leave an int32 room
MULTIPLIER_BITS = 15
NOT_READY = "too few beats of this patient so far"


@dataclass(frozen=True)
class BeatClass:
    """label: "N", "S", "V" or "F"; None where it is not said, and then `reason` says why

    confidence: calibrated probability of the most likely class, also where it is too low to be said
    """

    label: str | None
    confidence: float
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class BeatClassifier:
    """artifact: a window, what it differs from the patient's typical beat, and the rhythm → logits of `labels`.

    window_before, window_after: samples at rate_hz of a window, from before the R peak and from it on
    threshold: the confidence under which nothing is said
    """

    artifact: Artifact
    window_before: int
    window_after: int
    rate_hz: int
    threshold: float

    @property
    def labels(self) -> tuple[str, ...]:
        return self.artifact.labels

    @property
    def window_samples(self) -> int:
        return self.window_before + self.window_after

    @cached_property
    def multiplier(self) -> int:
        """From the context's codes to those of the artifact's grid, in 2^-MULTIPLIER_BITS."""
        return multiplier_of(self.artifact.input.scale)

    def context(self) -> PatientContext:
        """A new one: it keeps what it knows of one patient."""
        return PatientContext(self.window_before, self.window_after, self.rate_hz)

    def codes(self, window: NDArray[np.int16], context: PatientContext) -> NDArray[np.int8]:
        """What the artifact takes for this beat."""
        return codes_of(*context.rows(window), self.multiplier, self.artifact.input.zero_point)

    def classify(self, window: NDArray[np.int16], context: PatientContext) -> BeatClass:
        """The class of the beat that the context was last told of; lets it learn the beat's shape.

        window: (window_samples,) raw samples of 5 µV around the R peak: x[sample - before : sample + after]
        """
        chances = self.chances(window, context)
        ready = context.ready
        context.learn(window)
        best = int(chances.argmax())
        confidence = float(chances[best])
        if not ready:
            return BeatClass(None, confidence, NOT_READY)
        if confidence < self.threshold:
            return BeatClass(None, confidence, f"not sure enough: {self.labels[best]} {confidence:.2f}")
        return BeatClass(self.labels[best], confidence)

    def chances(self, window: NDArray[np.int16], context: PatientContext) -> NDArray[np.float64]:
        """(labels,) calibrated probabilities, multiples of 2^-15 as C computes them."""
        outputs = self.artifact.output.dequantize(self.artifact.run(self.codes(window, context)))
        return self._softmax.of(outputs)

    @cached_property
    def _softmax(self) -> Chances:
        return Chances(self.artifact.output, self.artifact.manifest.calibration)


def multiplier_of(scale: float) -> int:
    """scale: of the artifact's input; 1 where it takes the context's codes as they are."""
    return round((1 << MULTIPLIER_BITS) / scale)


def codes_of(
    beat: Codes, typical: Codes, rhythm: Codes, multiplier: int, zero_point: int
) -> NDArray[np.int8]:
    """(samples + RHYTHM, 2), the artifact's input: channels last, the rhythm behind the window.

    Channel 0 is the beat, channel 1 what it differs from the typical one; the rhythm stands in channel 0.
    q = clamp(zero_point + ((code · multiplier + half) >> MULTIPLIER_BITS)), the shift rounding down.
    """
    samples = len(beat)
    codes = np.zeros((samples + RHYTHM, 2), np.int64)
    codes[:samples, 0] = beat
    codes[:samples, 1] = np.clip(beat - typical, -MOST, MOST)
    codes[samples:, 0] = rhythm
    scaled = (codes * multiplier + (1 << (MULTIPLIER_BITS - 1))) >> MULTIPLIER_BITS
    return np.clip(scaled + zero_point, -128, 127).astype(np.int8)


def load_classes(folder: Path | None = None) -> BeatClassifier:
    """The shipped classifier, or that of a folder.

    Raises UserError for a folder that holds none, VerificationError for one that was changed.
    """
    where = folder or WEIGHTS
    artifact = load(where)
    facts = artifact.manifest.content.get(FACTS)
    try:
        if facts is None:
            raise UserError(f"{where} holds {artifact.manifest.name}, which is no classifier of beats")
        return BeatClassifier(
            artifact,
            int(facts["before"]),
            int(facts["after"]),
            int(facts["rate_hz"]),
            float(facts["threshold"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{where}: the entry {FACTS!r} of its manifest is damaged: {error!r}") from error

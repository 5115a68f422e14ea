"""The shipped wake words, or the user's own: what a run and an evaluation need of them, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pintsize.apps.sounds import RATE_HZ
from pintsize.errors import UserError
from pintsize.stream.artifact import Artifact, load
from pintsize.stream.decision import Detection, Levels

WEIGHTS = Path(__file__).parent.parent / "weights" / "wake"
#: what is no word: speech, noise, silence; its name in the labels
OTHER = "other"
#: the entry of manifest.json that holds what a run needs beside the artifact
FACTS = "wake"


@dataclass(frozen=True, eq=False)
class WakeWords:
    """A loaded model of wake words.

    labels: one per output; words: those that wake, all but `other`
    hop_samples: int16 samples at 16 kHz that a step takes
    detection: one rule for all words: what tells them apart is in the model
    """

    artifact: Artifact
    detection: Detection

    @classmethod
    def load(cls, folder: Path | None = None) -> WakeWords:
        """Those that are shipped, or those of a folder that training wrote.

        Raises UserError for a folder that holds no wake words, VerificationError for one that was changed.
        """
        artifact = load(folder or WEIGHTS)
        facts = artifact.manifest.content.get(FACTS)
        if facts is None or OTHER not in artifact.labels:
            raise UserError(
                f"{folder or WEIGHTS} holds {artifact.manifest.name}, which is no model of wake words"
            )
        return cls(artifact, detection_of(facts, folder or WEIGHTS))

    @property
    def labels(self) -> tuple[str, ...]:
        return self.artifact.labels

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(label for label in self.labels if label != OTHER)

    @property
    def hop_samples(self) -> int:
        return self.artifact.input.elements

    @property
    def hop_s(self) -> float:
        return self.hop_samples / RATE_HZ


def facts_of(rule: Detection) -> dict[str, Any]:
    """What the manifest keeps of a rule, JSON."""
    return {
        "on": rule.levels.on,
        "off": rule.levels.off,
        "timeout_s": rule.levels.timeout_s,
        "window_s": rule.window_s,
        "refractory_s": rule.refractory_s,
    }


def detection_of(facts: Mapping[str, Any], where: Path) -> Detection:
    """The rule that the manifest keeps. Raises UserError where it is damaged."""
    try:
        levels = Levels(float(facts["on"]), float(facts["off"]), float(facts["timeout_s"]))
        return Detection(levels, float(facts["window_s"]), float(facts["refractory_s"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{where}: the entry {FACTS!r} of its manifest is damaged: {error!r}") from error

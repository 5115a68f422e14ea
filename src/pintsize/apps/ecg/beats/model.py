"""The shipped beat detector: a band-pass as an artifact, and the rule that finds the beats in what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pintsize.apps.ecg.beats.finder import BeatFinder, FinderRule, rule_of
from pintsize.errors import UserError
from pintsize.stream.artifact import Artifact, load

WEIGHTS = Path(__file__).parent.parent / "weights" / "beats"
#: the entry of manifest.json that holds the rule
FACTS = "beats"


@dataclass(frozen=True, eq=False)
class BeatModel:
    """artifact: int16 samples of 5 µV at `rate_hz` in, as many band-passed ones out, its filter's state inside.

    delay_samples: from the R peak to the sample with which it can be told, a hop not counted
    """

    artifact: Artifact
    rule: FinderRule

    @property
    def rate_hz(self) -> int:
        return self.rule.rate_hz

    @property
    def hop_samples(self) -> int:
        return self.artifact.input.elements

    @property
    def delay_samples(self) -> int:
        return self.rule.delay + self.rule.settle + 1

    def finder(self) -> BeatFinder:
        """A new one: it keeps what it knows of one signal."""
        return BeatFinder(self.rule)

    def codes(self, outputs: ArrayLike) -> NDArray[np.int64]:
        """What `BeatFinder.update` takes, of the artifact's outputs as real numbers (mV)."""
        return np.rint(np.asarray(outputs, np.float64) / self.artifact.output.scale).astype(np.int64)

    def run(self, samples: NDArray[np.int16]) -> NDArray[Any]:
        """The band-passed codes of one step's samples (hop_samples,)."""
        return self.artifact.run(samples)


def load_beats(folder: Path | None = None) -> BeatModel:
    """The shipped detector, or that of a folder.

    Raises UserError for a folder that holds none, VerificationError for one that was changed.
    """
    where = folder or WEIGHTS
    artifact = load(where)
    facts = artifact.manifest.content.get(FACTS)
    if facts is None:
        raise UserError(f"{where} holds {artifact.manifest.name}, which is no detector of beats")
    return BeatModel(artifact, rule_of(facts))

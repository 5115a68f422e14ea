"""The shipped network of intents: a text's probabilities among the intents of each data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.assistant.text.features import Features
from pintsize.apps.assistant.text.sentences import OUT_OF_SCOPE
from pintsize.errors import UserError
from pintsize.stream.artifact import Artifact, load

WEIGHTS = Path(__file__).parents[1] / "weights" / "intents"


@dataclass(frozen=True)
class Ranked:
    """The best intent of a data set, its probability among that set's, and whether that is enough to be told."""

    intent: str
    confidence: float
    sure: bool
    #: the likeliest answer of all is that it is out of scope
    outside: bool = False


class Intents:
    """Text → the best intent of each group."""

    def __init__(self, artifact: Artifact) -> None:
        content = artifact.manifest.content
        try:
            self.features = Features.of(content["features"])
            self.groups = {str(name): tuple(map(str, names)) for name, names in content["groups"].items()}
            self.least_confidence = float(content["least_confidence"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(f"{artifact.manifest.name} is no model of intents: {error}") from error
        outputs = sum(map(len, self.groups.values()))
        if artifact.output.elements != outputs or artifact.input.elements != self._ids:
            raise UserError(
                f"{artifact.manifest.name} takes {artifact.input.elements} ids and gives {artifact.output.elements} "
                f"numbers, its manifest says {self._ids} and {outputs}"
            )
        self.artifact = artifact

    @classmethod
    def load(cls, folder: Path | None = None) -> Intents:
        """From a folder, None for the shipped one. Raises UserError for a folder that is none of this kind."""
        return cls(load(folder or WEIGHTS))

    @property
    def _ids(self) -> int:
        return self.features.tokens * self.features.per_token

    def probabilities(self, text: str) -> dict[str, NDArray[np.float64]]:
        """Of each group's intents, calibrated."""
        codes = self.artifact.run(self.features.ids(self.features.split(text)))
        logits = self.artifact.output.dequantize(codes).reshape(-1)
        calibration, found, start = self.artifact.manifest.calibration, dict[str, NDArray[Any]](), 0
        for group, names in self.groups.items():
            found[group] = calibration.probabilities(logits[start : start + len(names)])
            start += len(names)
        return found

    def rank(self, text: str) -> dict[str, Ranked]:
        """The best known intent of each group; the threshold counts where a group knows "out of scope"."""
        return {group: self._best(self.groups[group], p) for group, p in self.probabilities(text).items()}

    def _best(self, names: tuple[str, ...], chances: NDArray[np.float64]) -> Ranked:
        known = [i for i, name in enumerate(names) if name != OUT_OF_SCOPE]
        best = max(known, key=lambda i: float(chances[i]))
        confidence = float(chances[best])
        scoped = len(known) < len(names)
        return Ranked(
            names[best],
            confidence,
            not scoped or confidence >= self.least_confidence,
            int(chances.argmax()) not in known,
        )

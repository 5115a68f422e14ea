"""The shipped model of sleep: features of a whole night in, a stage for each epoch, or none; without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pintsize.apps.wearable.sleep.features import COLUMNS, EPOCH_S, prepared
from pintsize.apps.wearable.sleep.scoring import Scoring
from pintsize.errors import DataError, UserError
from pintsize.stream.artifact import Artifact, load

WEIGHTS = Path(__file__).parent.parent / "weights" / "sleep"
FACTS = "sleep"
#: epochs that a night needs: fewer are no night
FEWEST_EPOCHS = 20
STAGES = ("wake", "light", "deep", "rem")


@dataclass(frozen=True, eq=False)
class Night:
    """stages: one an epoch, None with the reason beside it; wake: (epochs,) probability, NaN where there is none."""

    stages: tuple[str | None, ...]
    reasons: tuple[str, ...]
    wake: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SleepModel:
    """Looks at whole nights: an epoch is judged by those around it, behind it too, and by all that is likely after it.

    artifact: takes one epoch a run, in its order; look_ahead: epochs that it needs beyond the one it judges.
    """

    artifact: Artifact
    scoring: Scoring
    look_ahead: int

    epoch_s = EPOCH_S

    @property
    def labels(self) -> tuple[str, ...]:
        return self.artifact.labels

    def stages(self, features: ArrayLike) -> list[str | None]:
        """features: (epochs, 35), accelerometer 21, ballistocardiogram 11, clock 3, as `sleep_watch` has them."""
        return list(self.score(features).stages)

    def score(self, features: ArrayLike) -> Night:
        """With reasons and probabilities. Raises DataError for another number of columns."""
        given = np.asarray(features, np.float64)
        if given.ndim != 2 or given.shape[1] != COLUMNS:
            raise DataError(f"features {given.shape}: (epochs, {COLUMNS}) are needed")
        if len(given) < FEWEST_EPOCHS:
            return _nothing(len(given), f"{len(given)} epochs of {EPOCH_S} s: {FEWEST_EPOCHS} are needed")
        valid: NDArray[np.bool_] = np.isfinite(given).all(axis=1).reshape(-1)
        if not valid.any():
            return _nothing(len(given), "no epoch has valid features")
        chances = self.scoring.chances(self.outputs(np.where(valid[:, None], given, 0.0), valid))
        best = self.scoring.stages(chances)
        return Night(
            tuple(self.labels[b] if v else None for b, v in zip(best, valid, strict=True)),
            tuple("" if v else "features are missing" for v in valid),
            np.where(valid, chances[:, 0], np.nan),
        )

    def outputs(self, features: NDArray[np.float64], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(epochs, labels) logits; an epoch that is not valid is silence to the network."""
        x = prepared(features, valid)
        silence = np.zeros((self.look_ahead, x.shape[1]))
        self.artifact.reset()
        told = [self.artifact.real(epoch).reshape(-1) for epoch in np.concatenate([x, silence])]
        self.artifact.reset()
        return np.asarray(told[self.look_ahead :], np.float64)


def _nothing(epochs: int, reason: str) -> Night:
    return Night((None,) * epochs, (reason,) * epochs, np.full(epochs, np.nan))


def load_sleep(folder: Path | None = None) -> SleepModel:
    """The shipped model, or that of a folder.

    Raises UserError for a folder that holds no such model, VerificationError for one that was changed.
    """
    artifact = load(folder or WEIGHTS)
    facts: Mapping[str, Any] | None = artifact.manifest.content.get(FACTS)
    if not isinstance(facts, dict):
        raise UserError(f"{folder or WEIGHTS} holds {artifact.manifest.name}, which is no model of sleep")
    scoring = Scoring.read(facts, artifact.manifest.calibration)
    return SleepModel(artifact, scoring, int(facts["look_ahead"]))

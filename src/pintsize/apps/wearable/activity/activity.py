"""The shipped model of activities: samples in, one label for each step, or none with the reason; without torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pintsize.apps.wearable.activity.smoothing import Rule, Smoothed, Smoothing
from pintsize.errors import UserError
from pintsize.stream.artifact import Artifact, load
from pintsize.stream.decision import Calibration

WEIGHTS = Path(__file__).parent.parent / "weights" / "activity"
#: the entry of manifest.json that holds what a run needs beside the artifact
FACTS = "activity"
RATE_HZ = 50
#: acceleration (x, y, z) and turning (x, y, z); codes of 1/500 m/s² and 1/2000 rad/s
CHANNELS = 6
ACCELERATION_PER_CODE, TURNING_PER_CODE = 1 / 500, 1 / 2000


@dataclass(frozen=True)
class Told:
    """label: None with the reason where nothing is told; confidence: calibrated; about_s: the time that it is about."""

    label: str | None
    confidence: float
    reason: str
    about_s: float


@dataclass(frozen=True, eq=False)
class ActivityModel:
    """artifact: takes `hop_samples` new samples (hop, 6) a run and keeps what it needs of those before.

    delay_s: how far a decision lies behind the newest sample; smoothing: state; `reset` clears it.
    """

    artifact: Artifact
    rule: Rule
    delay_s: float
    smoothing: Smoothing

    rate_hz = RATE_HZ

    @property
    def hop_samples(self) -> int:
        return self.artifact.input.elements // CHANNELS

    @property
    def labels(self) -> tuple[str, ...]:
        return self.artifact.labels

    @property
    def calibration(self) -> Calibration:
        return self.artifact.manifest.calibration

    def update(self, time_s: float, value: ArrayLike | None) -> Told:
        """value: (labels,) outputs of the artifact, real numbers, at the end of a step; None: there are none."""
        outputs = None if value is None else np.asarray(value, np.float64).reshape(-1)
        if outputs is None or not np.isfinite(outputs).all():
            self.smoothing.reset()
            return Told(None, 0.0, "no valid samples", time_s)
        output = self.artifact.output
        codes = np.rint(outputs / output.scale).astype(np.int64)
        return self._told(time_s - self.delay_s, self.smoothing.update(codes))

    def ask(self, time_s: float, samples: NDArray[np.int16]) -> Told:
        """samples: (hop, 6) int16, the next ones; time_s: of their end. Raises DataError for other shapes."""
        return self.update(time_s, self.artifact.output.dequantize(self.artifact.run(samples)))

    def reset(self) -> None:
        """A break in the signal: nothing from before it counts."""
        self.artifact.reset()
        self.smoothing.reset()

    def _told(self, about_s: float, found: Smoothed) -> Told:
        chances = self.calibration.probabilities(found.mean * self.artifact.output.scale)
        confidence = float(chances.max())
        if found.label is not None:
            return Told(self.labels[found.label], confidence, "", about_s)
        if self.smoothing.heard < self.rule.warm:
            hop_s = self.hop_samples / RATE_HZ
            return Told(None, 0.0, f"fewer than {self.rule.warm * hop_s:g} s since the signal began", about_s)
        best = self.labels[int(chances.argmax())]
        return Told(None, confidence, f"unsure: {best!r} with {confidence:.2f}", about_s)


def load_activity(folder: Path | None = None) -> ActivityModel:
    """The shipped model, or that of a folder.

    Raises UserError for a folder that holds no such model, VerificationError for one that was changed.
    """
    artifact = load(folder or WEIGHTS)
    facts = artifact.manifest.content.get(FACTS)
    if not isinstance(facts, dict) or artifact.input.elements % CHANNELS:
        raise UserError(
            f"{folder or WEIGHTS} holds {artifact.manifest.name}, which is no model of activities"
        )
    rule = Rule(**{name: int(facts[name]) for name in asdict(Rule())})
    return ActivityModel(artifact, rule, float(facts["delay_s"]), Smoothing(rule))

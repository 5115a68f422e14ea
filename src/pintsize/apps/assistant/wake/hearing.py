"""What a model of wake words makes of sound: probabilities step by step, and what the detector tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.assistant.wake.words import WakeWords
from pintsize.apps.chances import Chances
from pintsize.apps.sounds import as_codes
from pintsize.stream.decision import Decision, Detection, Detector, Levels

Clip = NDArray[np.float32]
#: of a detector that listens for one word with a level of its own: off lies this much below on
OFF_BELOW_ON = 0.5


@dataclass(frozen=True, eq=False)
class Heard:
    """times_s: (steps,) when each was decided, from the beginning of the sound; chances: (steps, labels)."""

    times_s: NDArray[np.float64]
    chances: NDArray[np.float64]


def hear(wake: WakeWords, clip: Clip) -> Heard:
    """Runs the artifact over a sound, float32 (n,) at 16 kHz, from its reset on; an incomplete last step is left."""
    artifact, hop = wake.artifact, wake.hop_samples
    chances = Chances(artifact.output, artifact.manifest.calibration)
    codes = as_codes(clip)
    artifact.reset()
    steps = len(codes) // hop
    rows: list[NDArray[Any]] = [artifact.run(codes[k * hop : (k + 1) * hop]) for k in range(steps)]
    outputs = artifact.output.dequantize(np.array(rows)).reshape(steps, len(wake.labels))
    return Heard(
        np.arange(1, steps + 1, dtype=np.float64) * wake.hop_s,
        chances.of_many(outputs) if steps else outputs.astype(np.float64),
    )


def at_level(rule: Detection, on: float) -> Detection:
    """The rule with another level."""
    return replace(rule, levels=Levels(on, on * OFF_BELOW_ON, rule.levels.timeout_s))


def detections(
    heard: Heard, labels: Sequence[str], word: str, rule: Detection, on: float | None = None
) -> list[Decision]:
    """What a detector tells that listens for this word alone; on: with this level in place of the rule's.

    Steps that leave no trace in it are not told: those so far from any chance of the word that its mean stays below
    the level.
    """
    rule = rule if on is None else at_level(rule, on)
    detector = Detector(labels, rule, [label for label in labels if label != word])
    told: list[Decision] = []
    for step in _worth_telling(heard, list(labels).index(word), rule):
        decision = detector.update(float(heard.times_s[step]), heard.chances[step])
        if decision is not None:
            told.append(decision)
    return told


def _worth_telling(heard: Heard, column: int, rule: Detection) -> NDArray[np.int64]:
    """Steps near one whose chance reaches the lower level: no mean can pass a level that no member passes."""
    likely = np.flatnonzero(heard.chances[:, column] >= rule.levels.off)
    if not len(likely):
        return likely
    times = heard.times_s
    reach_s = rule.window_s + rule.levels.timeout_s
    first = np.searchsorted(times, times[likely] - rule.window_s - 1e-9)
    last = np.searchsorted(times, times[likely] + reach_s + 1e-9)
    marks = np.zeros(len(times) + 1, np.int64)
    np.add.at(marks, first, 1)
    np.add.at(marks, last, -1)
    return np.flatnonzero(np.cumsum(marks[:-1]) > 0)

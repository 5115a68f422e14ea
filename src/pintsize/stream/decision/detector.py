"""From probabilities to events: smoothed, with hysteresis, once per event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from pintsize.errors import UserError
from pintsize.stream.decision.decision import Decision
from pintsize.stream.decision.hysteresis import Hysteresis, Levels
from pintsize.stream.decision.refractory import Refractory
from pintsize.stream.decision.smoothing import MeanSmoothing
from pintsize.stream.decision.stage import AT_THE_END, SourceTime


@dataclass(frozen=True)
class Detection:
    """levels: when a label is on and off; window_s: of the mean before it; refractory_s: silence after an event."""

    levels: Levels
    window_s: float = 0.1
    refractory_s: float = 1.0


class Detector:
    """Says "detected" once when a label appears: wake words, keywords, events.

    labels: one per probability; silent: those that are never told, such as noise and speech that is no keyword.
    Of labels that appear in one step the most probable is told; a label that stays on is told once.
    """

    def __init__(self, labels: Sequence[str], rule: Detection, silent: Sequence[str] = ()) -> None:
        stray = sorted(set(silent) - set(labels))
        if stray or len(set(labels)) != len(labels):
            raise UserError(
                f"silent labels {stray}, labels {list(labels)}: each once, silent ones among them"
            )
        self.labels, self.rule = tuple(labels), rule
        self._time = SourceTime()
        self._smoothing = MeanSmoothing(rule.window_s)
        self._levels = {x: Hysteresis(rule.levels, x) for x in labels if x not in silent}
        self._refractory = Refractory(rule.refractory_s, each=False)

    @property
    def idle(self) -> bool:
        stages = (self._smoothing, self._refractory, *self._levels.values())
        return all(stage.idle for stage in stages)

    @property
    def timeout_s(self) -> float:
        return max(self.rule.levels.timeout_s, self.rule.refractory_s, self.rule.window_s)

    def update(self, time_s: float, value: ArrayLike | None) -> Decision | None:
        """value: (labels,) probabilities, None where there is no signal."""
        if self._time.advance(time_s):
            self.reset("")
        smooth = self._smoothing.update(time_s, value)
        if smooth is not None and len(smooth) != len(self.labels):
            raise UserError(f"{len(smooth)} probabilities for {len(self.labels)} labels")
        told = [
            stage.update(time_s, None if smooth is None else float(smooth[self.labels.index(label)]))
            for label, stage in self._levels.items()
        ]
        began = [d for d in told if d and d.kind == "began"]
        best = max(began, key=lambda d: d.confidence or 0.0, default=None)
        return self._refractory.update(time_s, best and _detected(best))

    def reset(self, reason: str) -> Decision | None:
        """Nothing is told: an event is over when it is told."""
        for stage in (self._smoothing, self._refractory, *self._levels.values()):
            stage.reset(reason)
        return None

    def finish(self, time_s: float) -> Decision | None:
        return self.reset(AT_THE_END)


def _detected(began: Decision) -> Decision:
    return Decision(began.time_s, "detected", began.value, began.confidence, start_s=began.start_s)

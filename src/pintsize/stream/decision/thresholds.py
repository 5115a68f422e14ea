"""The best class, or "unknown", or no answer at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from pintsize.errors import UserError
from pintsize.stream.decision.decision import Decision
from pintsize.stream.decision.smoothing import as_scores
from pintsize.stream.decision.stage import AT_THE_END, SourceTime


@dataclass(frozen=True)
class Thresholds:
    """When a class is sure enough.

    known: below this probability of the best class it is none of them: "unknown"
    margin: with the second-best closer than this, the model does not know which: "abstained"
    of: label → a threshold of its own in place of `known`
    """

    known: float = 0.5
    margin: float = 0.0
    of: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in {"known": self.known, "margin": self.margin, **self.of}.items():
            if not 0.0 <= value <= 1.0:
                raise UserError(f"thresholds: {name} is {value}, a probability is between 0 and 1")


class Classifier:
    """Says "label", "unknown" or "abstained" of each vector of probabilities. Remembers nothing."""

    timeout_s = 0.0
    idle = True

    def __init__(self, labels: Sequence[str], thresholds: Thresholds | None = None) -> None:
        self.labels = tuple(labels)
        self.thresholds = thresholds or Thresholds()
        self._time = SourceTime()
        stray = sorted(set(self.thresholds.of) - set(self.labels))
        if not self.labels or stray:
            raise UserError(f"thresholds for {stray}: the labels are {list(self.labels)}")

    def update(self, time_s: float, value: ArrayLike | None) -> Decision | None:
        """value: (classes,) probabilities. Raises UserError when they are not as many as the labels."""
        self._time.advance(time_s)
        chances = as_scores(value)
        if chances is None:
            return Decision(time_s, "label", None, reason="no valid probabilities")
        if len(chances) != len(self.labels):
            raise UserError(f"{len(chances)} probabilities for {len(self.labels)} labels")
        order = np.argsort(-chances, kind="stable")
        label, best = self.labels[order[0]], float(chances[order[0]])
        second = float(chances[order[1]]) if len(order) > 1 else 0.0
        wanted = self.thresholds.of.get(label, self.thresholds.known)
        if best < wanted:
            reason = f"the best, {label!r}, has {best:.3f}: {wanted:g} is needed"
            return Decision(time_s, "unknown", None, best, reason)
        if best - second < self.thresholds.margin:
            other = self.labels[order[1]]
            reason = f"{label!r} {best:.3f} and {other!r} {second:.3f} are less than {self.thresholds.margin:g} apart"
            return Decision(time_s, "abstained", None, best, reason)
        return Decision(time_s, "label", label, best)

    def reset(self, reason: str) -> Decision | None:
        return None

    def finish(self, time_s: float) -> Decision | None:
        return self.reset(AT_THE_END)

"""What a piece answers: what it made of the sound or the text, or that it does not know, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Heard:
    """Of one recording, one word.

    label: None where it is none of the known ones or too unsure, and then `reason` says why
    confidence: calibrated probability of the best label in [0, 1], also where that was not enough
    Raises ValueError for None without a reason, and a confidence that is no probability.
    """

    label: str | None
    confidence: float
    reason: str | None = None

    def __post_init__(self) -> None:
        _require_honest(self.label, self.confidence, self.reason)


@dataclass(frozen=True)
class Understood:
    """Of an order: intent and slots, in the order in which they were said.

    intent: None where it is out of scope or too unsure, and then `reason` says why
    Raises ValueError for None without a reason, a slot filled twice, and a confidence that is no probability.
    """

    intent: str | None
    slots: tuple[tuple[str, str], ...]
    confidence: float
    reason: str | None = None

    def __post_init__(self) -> None:
        _require_honest(self.intent, self.confidence, self.reason)
        names = [name for name, _ in self.slots]
        if len(set(names)) != len(names):
            raise ValueError(f"a slot is filled twice: {names}")


def _require_honest(answer: str | None, confidence: float, reason: str | None) -> None:
    if answer is None and not reason:
        raise ValueError("without an answer the reason must be said")
    if not 0.0 <= confidence <= 1.0:
        raise ValueError(f"a confidence of {confidence}: a probability is between 0 and 1")

"""What was decided, and when: the only thing that leaves the runtime."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Decision:
    """One thing decided about the signal.

    Args:
        time_s: when it was decided, by the source's clock.
        kind: what kind of decision: "detected", "began", "ended", "label", "order", "measured", "lost", …
        value: a label or a number; None where nothing can be said, and then `reason` says why.
        confidence: calibrated probability in [0, 1]; None where there is none.
        reason: why there is no value, or why it was decided now ("timeout …").
        start_s: when the thing decided about began; None where it has no length.
        slots: of an order: (name, value) in the order in which they were said.

    Raises ValueError for NaN or infinity as the value, for None without a reason, and for a slot filled twice.
    """

    time_s: float
    kind: str
    value: str | float | None
    confidence: float | None = None
    reason: str | None = None
    start_s: float | None = None
    slots: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.value is None and not self.reason:
            raise ValueError(f"a decision {self.kind!r} without a value must say why")
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise ValueError(f"a decision {self.kind!r} of {self.value}: say None with the reason")
        names = [name for name, _ in self.slots]
        if len(set(names)) != len(names):
            raise ValueError(f"a decision {self.kind!r} fills a slot twice: {names}")


def record(decision: Decision) -> dict[str, Any]:
    """For JSON: always time_s, kind and value; the others where they say something."""
    more: Mapping[str, Any] = {
        "confidence": decision.confidence,
        "reason": decision.reason,
        "start_s": decision.start_s,
        "slots": dict(decision.slots) or None,
    }
    told = {name: value for name, value in more.items() if value is not None}
    return {"time_s": decision.time_s, "kind": decision.kind, "value": decision.value, **told}

"""What was said in a phrase: a digit, an order, or neither, with the reasons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.assistant.pieces import RATE_HZ, Pieces
from pintsize.apps.assistant.understood import Heard, Understood
from pintsize.apps.stages import Stage
from pintsize.stream.decision import Decision

#: a longer phrase is no single digit
LONGEST_DIGIT_S = 1.6


class PhraseReader:
    """Asks the pieces that a phrase may concern; of answers the surer one counts."""

    def __init__(self, pieces: Pieces) -> None:
        self.digits = (
            None
            if pieces.digits is None
            else Stage("digits", pieces.digits.artifact, pieces.digits.recognise)
        )
        self.orders = (
            None
            if pieces.orders is None
            else Stage("orders", pieces.orders.artifact, pieces.orders.understand)
        )

    @property
    def stages(self) -> tuple[Stage, ...]:
        return tuple(stage for stage in (self.digits, self.orders) if stage is not None)

    def read(self, samples: NDArray[np.int16], time_s: float, start_s: float | None) -> Decision:
        """samples: (n,) of the phrase. time_s: when it is decided, start_s: when the phrase began."""
        answers: list[Heard | Understood] = []
        if self.digits is not None and len(samples) <= LONGEST_DIGIT_S * RATE_HZ:
            answers.append(self.digits(samples))
        if self.orders is not None:
            answers.append(self.orders(samples))
        known = [answer for answer in answers if value_of(answer) is not None]
        if known:
            return decision_of(max(known, key=lambda answer: answer.confidence), time_s, start_s)
        reason = (
            "; ".join(answer.reason or "" for answer in answers) or "nothing understands so long a phrase"
        )
        surest = max((answer.confidence for answer in answers), default=None)
        return Decision(time_s, "unknown", None, surest, reason, start_s)


def value_of(answer: Heard | Understood) -> str | None:
    return answer.label if isinstance(answer, Heard) else answer.intent


def decision_of(answer: Heard | Understood, time_s: float, start_s: float | None = None) -> Decision:
    """A "digit" or an "order", or "unknown" with the reason."""
    value = value_of(answer)
    if value is None:
        return Decision(time_s, "unknown", None, answer.confidence, answer.reason, start_s)
    if isinstance(answer, Heard):
        return Decision(time_s, "digit", value, answer.confidence, answer.reason, start_s)
    return Decision(time_s, "order", value, answer.confidence, answer.reason, start_s, answer.slots)

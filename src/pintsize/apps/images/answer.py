"""What is told of a picture: a value with its confidence, or None with the reason; and the kinds of answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pintsize.stream.decision import Decision

SCREENING = "A screening aid, not a diagnosis."
#: an X-ray or smear that another recording may answer
UNGRADABLE = "ungradable"
#: a picture that the model knows too little about
UNSURE = "unsure"
#: a file that is no picture
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Answer:
    """kind: "label", "counted", or why there is no value: ungradable, unsure, unreadable.

    value: None where nothing can be said, and then `reason` says why; details: further numbers by name.
    """

    kind: str
    value: str | None
    confidence: float | None = None
    reason: str | None = None
    details: Mapping[str, str] = field(default_factory=dict[str, str])

    def decision(self, number: int, picture: str) -> Decision:
        """For the sinks; number: of the picture in its folder, which stands for the time."""
        slots = (("picture", picture), *self.details.items())
        return Decision(float(number), self.kind, self.value, self.confidence, self.reason, slots=slots)


def refused(kind: str, reason: str) -> Answer:
    return Answer(kind, None, reason=reason)

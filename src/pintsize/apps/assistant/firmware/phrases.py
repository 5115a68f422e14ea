"""What the pieces that understand phrases add to the assistant's C."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pintsize.apps.assistant.firmware.parameters import Parameters

#: piece → what tells C that it is there: how many answers it knows
COUNTS = {"digits": "ASSISTANT_DIGITS", "orders": "ASSISTANT_INTENTS"}


@dataclass(frozen=True)
class PhraseProgram:
    """How a piece is asked in C.

    files: `<piece>_read.c` and `.h`, with `void <piece>_read(const int16_t *, int32_t, assistant_decision *)`
    answers: the labels or intents; slots: name → the values that it may have
    """

    piece: Literal["digits", "orders"]
    files: Mapping[str, str]
    answers: Sequence[str]
    slots: Mapping[str, Sequence[str]] = field(default_factory=dict)
    defines: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, tuple[str, Sequence[int]]] = field(default_factory=dict)


def phrase_parameters(given: Parameters, phrases: Sequence[PhraseProgram]) -> Parameters:
    """The parameters with those of the phrases."""
    defines = {**given.defines, **dict.fromkeys(COUNTS.values(), "0"), "ASSISTANT_SLOTS": "0"}
    texts, numbers = dict(given.texts), dict(given.numbers)
    for phrase in phrases:
        defines |= {COUNTS[phrase.piece]: str(len(phrase.answers)), **phrase.defines}
        texts["assistant_digits" if phrase.piece == "digits" else "assistant_intents"] = phrase.answers
        numbers |= phrase.numbers
        if phrase.slots:
            defines["ASSISTANT_SLOTS"] = str(len(phrase.slots))
            texts["assistant_slots"] = list(phrase.slots)
            texts |= {f"assistant_slot_{i}": values for i, values in enumerate(phrase.slots.values())}
    return replace(given, defines=defines, texts=texts, numbers=numbers)

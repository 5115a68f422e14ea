"""The honest metrics of the shipped integers, on sentences that neither training nor the choice of the threshold saw.

`intents_in_scope_accuracy`: orders in scope of CLINC150's test half that are told with the right intent; one that
is refused counts as wrong. `intents_out_of_scope_recall`: its orders out of scope that are refused, at the same
threshold.
`home_intent_accuracy`: HWU `val`, orders for the home that `Understanding` tells with the right intent;
`home_wrongly_taken`: CLINC150's orders, in scope or not, that it takes for one though they mean nothing alike.
`slots_f1`: exact spans, SNIPS `val`; `hwu_intent_accuracy`, `hwu_slots_f1`: HWU `val`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pintsize.apps.assistant.text.actions import HOME
from pintsize.apps.assistant.text.intents import Intents
from pintsize.apps.assistant.text.sentences import CLINC, HWU, SNIPS, Sentence, clinc_half, read_sentences
from pintsize.apps.assistant.text.slots import Slots
from pintsize.apps.assistant.text.spans import f1
from pintsize.apps.assistant.text.understanding import ALIKE, for_the_home
from pintsize.stream.artifact import Artifact


def evaluate(data: Path, weights: Path | None = None) -> dict[str, float]:
    """Of the shipped weights, or of `intents` and `slots` in a folder; deterministic, without torch.

    Raises DataError where a data set is not there.
    """
    inside, outside = clinc_half(data, "test")
    snips, hwu = (read_sentences(data, corpus, "val") for corpus in (SNIPS, HWU))
    intents = Intents.load(None if weights is None else weights / "intents")
    slots = Slots.load(None if weights is None else weights / "slots")
    return {
        "intents_in_scope_accuracy": right_share(intents, CLINC, inside),
        "intents_out_of_scope_recall": _share([not intents.rank(s.text)[CLINC].sure for s in outside]),
        "intents_out_of_scope_orders": float(len(outside)),
        "hwu_intent_accuracy": right_share(intents, HWU, hwu),
        "home_intent_accuracy": _share([_home(intents, s.text) == s.intent for s in hwu if s.intent in HOME]),
        "home_wrongly_taken": _share([_wrongly_taken(intents, s) for s in inside + outside]),
        "snips_intent_accuracy": right_share(intents, SNIPS, snips),
        "slots_f1": slot_f1(slots, SNIPS, snips),
        "hwu_slots_f1": slot_f1(slots, HWU, hwu),
        "intents_flash_bytes": _flash_bytes(intents.artifact),
        "slots_flash_bytes": _flash_bytes(slots.artifact),
    }


def right_share(intents: Intents, group: str, sentences: Sequence[Sentence]) -> float:
    """Of sentences that are told with the right intent of a group."""
    ranked = ((intents.rank(s.text)[group], s.intent) for s in sentences)
    return _share([best.sure and best.intent == intent for best, intent in ranked])


def slot_f1(slots: Slots, corpus: str, sentences: Sequence[Sentence]) -> float:
    """Of exact spans."""
    return f1([slots.find(s.text, corpus) for s in sentences], [s.slots for s in sentences])


def _home(intents: Intents, text: str) -> str | None:
    found = for_the_home(intents.rank(text))
    return None if found is None else found.intent


def _wrongly_taken(intents: Intents, sentence: Sentence) -> bool:
    taken = _home(intents, sentence.text)
    return taken is not None and sentence.intent not in ALIKE[taken]


def _share(found: Sequence[bool]) -> float:
    return sum(found) / len(found) if found else float("nan")


def _flash_bytes(artifact: Artifact) -> float:
    return float(artifact.manifest.content.get("figures", {}).get("flash_bytes", float("nan")))

from __future__ import annotations

from pathlib import Path

from pintsize.apps.assistant.text.card import intents_card, slots_card
from pintsize.apps.assistant.text.intents import WEIGHTS as INTENTS
from pintsize.apps.assistant.text.intents import Intents
from pintsize.apps.assistant.text.slots import WEIGHTS as SLOTS
from pintsize.apps.assistant.text.slots import Slots

MEASURED: dict[str, float] = dict.fromkeys(
    ("intents_in_scope_accuracy", "intents_out_of_scope_recall", "intents_out_of_scope_orders",
     "hwu_intent_accuracy", "home_intent_accuracy", "home_wrongly_taken", "snips_intent_accuracy", "slots_f1",
     "hwu_slots_f1"), 0.125,
)  # fmt: skip


def test_cards_tell_what_was_measured_and_what_it_takes() -> None:
    intents, slots = Intents.load(), Slots.load()
    for card, artifact in (
        (intents_card(intents, MEASURED, 7), intents.artifact),
        (slots_card(slots, MEASURED, 7), slots.artifact),
    ):
        assert "0.1250" in card
        assert f"{artifact.manifest.content['figures']['flash_bytes']:,}" in card
        assert "--seed 7" in card


def test_shipped_cards_name_data_licences_and_limits() -> None:
    for folder in (INTENTS, SLOTS):
        card = Path(folder, "CARD.md").read_text(encoding="utf-8")
        for wanted in ("CLINC150", "CC BY 3.0", "CC BY 4.0", "CC0", "Limits", "text.training DATA --seed 0"):
            assert wanted in card

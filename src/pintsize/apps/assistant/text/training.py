"""Trains what understands text and writes the two folders that ship.

python -m pintsize.apps.assistant.text.training DATA --seed 0 [--out FOLDER]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pintsize.apps.assistant.text.card import intents_card, slots_card
from pintsize.apps.assistant.text.evaluation import evaluate
from pintsize.apps.assistant.text.intent_training import train_intents
from pintsize.apps.assistant.text.intents import Intents
from pintsize.apps.assistant.text.learning import Schedule
from pintsize.apps.assistant.text.slot_training import train_slots
from pintsize.apps.assistant.text.slots import Slots
from pintsize.apps.shipping import CARD
from pintsize.apps.training_line import training_line
from pintsize.together import one_thread_each

WEIGHTS = Path(__file__).parents[1] / "weights"


INTENTS = Schedule(epochs=18)
SLOTS = Schedule(epochs=10, hidden_words=0.05, unknown=0.15, label_smoothing=0.05)


@dataclass(frozen=True)
class Effort:
    """How long each network learns, and how."""

    intents: Schedule = INTENTS
    slots: Schedule = SLOTS


@one_thread_each()
def train(
    data: Path, out: Path = WEIGHTS, *, seed: int = 0, watch: Callable[[str], Any] = print,
    effort: Effort | None = None,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """From the data sets in a folder to `intents` and `slots` in another; gives their figures.

    The same seed gives the same bytes on one computer. Raises DataError where a data set is not there.
    """
    how = effort or Effort()
    watch("intents")
    intents = train_intents(data, out / "intents", seed, how.intents, watch)
    watch("slots")
    slots = train_slots(data, out / "slots", seed, how.slots, watch)
    write_cards(data, out, seed, watch)
    return {"intents": intents, "slots": slots}


def write_cards(data: Path, out: Path, seed: int, watch: Callable[[str], Any]) -> None:
    """Evaluates what was shipped, on the test parts, and writes both cards."""
    measured = evaluate(data, out)
    watch(str(measured))
    cards = {
        "intents": intents_card(Intents.load(out / "intents"), measured, seed),
        "slots": slots_card(Slots.load(out / "slots"), measured, seed),
    }
    for piece, card in cards.items():
        (out / piece / CARD).write_text(card, encoding="utf-8")


def main(given: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = training_line("trains what understands text", WEIGHTS)
    options = parser.parse_args(given)
    for name, figures in train(options.data, options.out, seed=options.seed).items():
        print(name, figures)


if __name__ == "__main__":
    main()

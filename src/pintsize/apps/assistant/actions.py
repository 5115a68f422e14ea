"""What becomes of what was understood: an action for the home, entities in Home Assistant, a sentence to speak."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pintsize.apps.assistant.text.actions import HOME, NOT_UNDERSTOOD, action_of
from pintsize.apps.assistant.understood import Understood
from pintsize.stream.decision import Decision
from pintsize.stream.sinks import Entity, Place

PLACE = Place("Voice assistant", "pintsize assistant")
#: an order that is older is no longer shown
_SHOWN_S = 60
#: spoken orders that are an action of the home
_SPOKEN: Mapping[str, str] = {"orderDrink": "coffee.make"}
#: all actions there are
ACTIONS = tuple(sorted({*_SPOKEN.values(), *(rule.name for rule in HOME.values() if rule.name)}))
NOT_HEARD = "Sorry, I could not hear that."


def entities(words: Sequence[str]) -> tuple[Entity, ...]:
    """How decisions appear in Home Assistant. words: that wake; each is an event to build automations on.

    "Action" is an event too, with its arguments. "Order" has the intent as its value and the slots in its attributes;
    without news it becomes unavailable.
    """
    woken = (Entity("Wake word", ("detected",), "event", tuple(words)),) if words else ()
    return (
        *woken,
        Entity("Action", ("action",), "event", ACTIONS),
        Entity("Order", ("order", "unknown", "lost"), expire_after_s=_SHOWN_S),
        Entity("Digit", ("digit",), expire_after_s=_SHOWN_S),
        Entity("Signal", ("health",)),
    )


def with_action(decision: Decision) -> list[Decision]:
    """The decision, and behind an order that is for the home the action that it asks for, with its arguments."""
    if decision.kind != "order" or not isinstance(decision.value, str):
        return [decision]
    found = action_of(Understood(decision.value, decision.slots, decision.confidence or 0.0))
    name, arguments = found.name, found.arguments
    if decision.value in _SPOKEN:
        name, arguments = _SPOKEN[decision.value], decision.slots
    if name is None:
        return [decision]
    return [decision, replace(decision, kind="action", value=name, slots=arguments)]


def reply(decision: Decision) -> str | None:
    """What is said about a decision; None where nothing is. A wake word is not answered: the user goes on speaking."""
    if decision.kind == "order" and isinstance(decision.value, str):
        return _order_in_words(decision, decision.value)
    if decision.kind == "digit":
        return f"{decision.value}."
    return {"unknown": NOT_UNDERSTOOD, "lost": NOT_HEARD}.get(decision.kind)


def _order_in_words(decision: Decision, intent: str) -> str:
    """A typed order, which has no beginning, is answered as its text asks; a spoken one is said back."""
    if decision.start_s is None:
        return action_of(Understood(intent, decision.slots, decision.confidence or 0.0)).reply
    details = ", ".join(f"{in_words(name)} {in_words(value)}" for name, value in decision.slots)
    return f"{in_words(intent)}: {details}." if details else f"{in_words(intent)}."


def in_words(name: str) -> str:
    """`orderDrink`, `iot_hue_lighton` and `set-alarm` as words."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.sub(r"[\s_\-.]+", " ", apart).strip().lower()

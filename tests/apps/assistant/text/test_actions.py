from __future__ import annotations

import pytest

from pintsize.apps.assistant.text.actions import HOME, NOT_UNDERSTOOD, Action, action_of
from pintsize.apps.assistant.understood import Understood


def done(intent: str | None, *slots: tuple[str, str]) -> Action:
    return action_of(Understood(intent, slots, 0.9, None if intent else "out of scope"))


def test_lights_of_a_room() -> None:
    found = done("iot_hue_lighton", ("house_place", "kitchen"))
    assert found == Action("light.turn_on", (("area", "kitchen"),), "Turning on the lights in the kitchen.")


def test_what_the_order_does_not_say_has_a_name_of_its_own() -> None:
    assert done("iot_coffee").reply == "Making coffee."
    assert done("iot_coffee", ("coffee_type", "an espresso")).reply == "Making an espresso."
    assert done("iot_cleaning").reply == "Cleaning the floor."
    assert done("iot_cleaning", ("house_place", "hall")).reply == "Cleaning the hall."


def test_other_intents_are_only_said() -> None:
    assert done("weather", ("city", "Oslo"), ("timeRange", "tomorrow")) == Action(
        None, (), "You asked for the weather in Oslo, tomorrow."
    )
    assert done("credit_score") == Action(None, (), "You asked about credit score.")
    assert done(None) == Action(None, (), NOT_UNDERSTOOD)


@pytest.mark.parametrize("intent", sorted(HOME))
def test_every_intent_for_the_home_acts_and_speaks(intent: str) -> None:
    slots = tuple((slot, slot) for slot in HOME[intent].arguments)
    found = done(intent, *slots)
    assert found.name
    assert "." in found.name
    assert found.reply.endswith(".")
    assert "{" not in found.reply
    assert [own for own, _ in found.arguments] == list(HOME[intent].arguments.values())

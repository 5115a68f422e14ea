"""What becomes of decisions: topics of Home Assistant, sentences, a broker's address."""

from __future__ import annotations

import json

import pytest

from pintsize.apps.assistant.actions import (
    ACTIONS,
    NOT_HEARD,
    NOT_UNDERSTOOD,
    PLACE,
    entities,
    in_words,
    reply,
    with_action,
)
from pintsize.apps.brokers import broker_of
from pintsize.errors import UserError
from pintsize.stream.decision import Decision
from pintsize.stream.sinks.home_assistant import discovery, state_payload


def test_an_order_is_answered_with_what_was_understood() -> None:
    order = Decision(
        1.0, "order", "orderDrink", start_s=0.5, slots=(("coffeeDrink", "latte"), ("size", "small"))
    )
    assert reply(order) == "order drink: coffee drink latte, size small."
    typed = Decision(0.0, "order", "iot_hue_lighton", slots=(("house_place", "kitchen"),))
    assert reply(typed) == "Turning on the lights in the kitchen."
    assert reply(Decision(1.0, "digit", "seven")) == "seven."


def test_an_order_for_the_home_becomes_an_action_with_its_arguments() -> None:
    typed = Decision(0.0, "order", "iot_hue_lighton", 0.9, slots=(("house_place", "kitchen"),))
    told, action = with_action(typed)
    assert told == typed
    assert (action.kind, action.value, action.slots) == ("action", "light.turn_on", (("area", "kitchen"),))
    coffee = with_action(Decision(2.0, "order", "orderDrink", start_s=1.0, slots=(("size", "small"),)))[1]
    assert (coffee.value, coffee.slots, coffee.start_s) == ("coffee.make", (("size", "small"),), 1.0)
    assert {action.value, coffee.value} <= set(ACTIONS)
    for decision in (Decision(1.0, "order", "weather"), Decision(1.0, "digit", "one")):
        assert with_action(decision) == [decision]


def test_what_was_not_understood_is_said_to_be() -> None:
    assert reply(Decision(1.0, "unknown", None, reason="no order")) == NOT_UNDERSTOOD
    assert reply(Decision(1.0, "lost", None, reason="a gap")) == NOT_HEARD
    assert reply(Decision(1.0, "detected", "computer")) is None
    assert reply(Decision(1.0, "health", None, reason="flat line")) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [("orderDrink", "order drink"), ("set-alarm_now", "set alarm now"), ("PlayMusic", "play music")],
)
def test_names_are_read_as_words(name: str, words: str) -> None:
    assert in_words(name) == words


def test_home_assistant_finds_the_assistant_and_no_order_stays_for_ever() -> None:
    found = {entity.name: entity for entity in entities(("computer", "lamp"))}
    topic, content = discovery(PLACE, found["Wake word"])
    assert topic == "homeassistant/event/voice_assistant/wake_word/config"
    assert json.loads(content)["event_types"] == ["computer", "lamp"]
    assert json.loads(discovery(PLACE, found["Order"])[1])["expire_after"] == 60
    lost = {"time_s": 1.0, "kind": "lost", "value": None, "reason": "a gap"}
    assert json.loads(state_payload(found["Order"], lost) or b"")["value"] is None


def test_a_broker_is_read_from_its_address() -> None:
    plain = broker_of("mqtt://hub.local")
    assert (plain.host, plain.port, plain.user, plain.tls) == ("hub.local", 1883, None, False)
    full = broker_of("mqtts://me:se%40cret@hub.local:9999")
    assert (full.port, full.user, full.password, full.tls) == (9999, "me", "se@cret", True)


@pytest.mark.parametrize("url", ["hub.local", "http://hub", "mqtt://", "mqtt://hub:port", "mqtt://hub/topic"])
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(UserError, match=r"mqtt://host|cannot be read"):
        broker_of(url)


def test_a_refusal_never_names_the_password() -> None:
    with pytest.raises(UserError) as refused:
        broker_of("mqtt://me:secret@hub/topic")
    assert "secret" not in str(refused.value)

"""Against a real broker on this machine: Debian's mosquitto."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from threading import Event

import pytest

from pintsize.errors import MissingExtra, SinkError, UserError
from pintsize.stream.decision import Decision
from pintsize.stream.sinks import Broker, Entity, Keeping, MqttSink, Outbox, Place
from tests.stream.sinks.broker import Listener, RunningBroker, mosquitto

PLACE = Place("Kitchen Pi", "voice assistant")
WAKE = Entity("Wake word", ("detected",), "event", events=("pico clock", "terminator"))
ORDER = Entity("Order", ("order", "misunderstood"), expire_after_s=60)
MOTION = Entity("Motion", ("began", "ended", "lost"), "binary_sensor", device_class="motion")
DECISIONS = "pintsize/kitchen_pi/decisions"
AVAILABILITY = "pintsize/kitchen_pi/availability"


def sink_to(broker: RunningBroker, *entities: Entity) -> MqttSink:
    return MqttSink(Broker("127.0.0.1", broker.port, timeout_s=3), PLACE, entities)


def said(number: int, value: str = "pico clock") -> Decision:
    return Decision(float(number), "detected", value, confidence=0.9)


def test_a_decision_arrives_acknowledged_and_as_it_was(broker: RunningBroker) -> None:
    listener, sink = Listener(broker.port), sink_to(broker)
    sink.send(Decision(2.5, "order", "orderDrink", slots=(("size", "größer"),)), 7)
    (payload,) = listener.until(DECISIONS)
    assert listener.qualities == {1}, "a broker acknowledges what has quality 1"
    assert json.loads(payload) == {
        "number": 7, "time_s": 2.5, "kind": "order", "value": "orderDrink", "slots": {"size": "größer"},
    }  # fmt: skip
    sink.close()
    listener.close()


def test_home_assistant_finds_every_entity(broker: RunningBroker) -> None:
    sink = sink_to(broker, WAKE, ORDER, MOTION)
    sink.send(said(0), 0)
    late = Listener(broker.port)  # what it gets now was retained
    topics = {
        WAKE: "homeassistant/event/kitchen_pi/wake_word/config",
        ORDER: "homeassistant/sensor/kitchen_pi/order/config",
        MOTION: "homeassistant/binary_sensor/kitchen_pi/motion/config",
    }
    retained: dict[str, bytes] = {}
    while not {*topics.values(), AVAILABILITY} <= set(retained):
        topic, payload, kept = late.heard.get(timeout=10)
        assert kept
        retained[topic] = payload
    assert retained[AVAILABILITY] == b"online"
    found = {entity: json.loads(retained[topic]) for entity, topic in topics.items()}
    for entity, content in found.items():
        assert content["availability_topic"] == AVAILABILITY
        assert content["device"]["identifiers"] == ["pintsize_kitchen_pi"]
        assert content["state_topic"] == PLACE.state(entity)
    assert len({content["unique_id"] for content in found.values()}) == 3
    assert found[WAKE]["event_types"] == ["pico clock", "terminator"]
    assert found[ORDER]["expire_after"] == 60
    assert (found[MOTION]["device_class"], found[MOTION]["payload_on"]) == ("motion", "on")
    sink.close()
    late.close()


def test_each_entity_is_told_of_its_own_kinds_and_none_is_none(broker: RunningBroker) -> None:
    listener, sink = Listener(broker.port), sink_to(broker, WAKE, ORDER, MOTION)
    told = [
        said(0), said(1, "no such word"), Decision(2.0, "began", "motion"),
        Decision(3.0, "lost", None, reason="no signal"),
        Decision(4.0, "misunderstood", None, reason="half an order"),
    ]  # fmt: skip
    for number, decision in enumerate(told):
        sink.send(decision, number)
    heard: dict[str, list[dict[str, object]]] = {}
    while len(heard.get(DECISIONS, [])) < 5 or PLACE.state(ORDER) not in heard:
        topic, payload, _ = listener.heard.get(timeout=10)
        if topic.endswith(("state", "decisions")):
            heard.setdefault(topic, []).append(json.loads(payload))
    assert [m["event_type"] for m in heard[PLACE.state(WAKE)]] == ["pico clock"]
    assert [m["state"] for m in heard[PLACE.state(MOTION)]] == ["on", "None"]
    assert [(m["value"], m["reason"]) for m in heard[PLACE.state(ORDER)]] == [(None, "half an order")]
    sink.close()
    listener.close()


def test_who_leaves_says_so_and_who_dies_is_said_to_be_gone(broker: RunningBroker) -> None:
    listener, sink = Listener(broker.port, AVAILABILITY), sink_to(broker)
    sink.send(said(0), 0)
    sink.close()
    assert listener.until(AVAILABILITY, 2) == [b"online", b"offline"]
    dying = sink_to(broker)
    dying.send(said(0), 0)
    assert dying._client is not None
    stuck = dying._client.socket()
    assert stuck is not None
    dying._client.reconnect_delay_set(60, 60)
    stuck.shutdown(2)  # as when the power goes: the broker says it in our place
    assert listener.until(AVAILABILITY, 2) == [b"online", b"offline"]
    dying._leave()
    listener.close()


def test_a_broker_that_dies_and_returns_gets_all_that_it_missed(
    broker: RunningBroker, tmp_path: Path
) -> None:
    failed, works, lines = Event(), Event(), list[str]()

    def hear(line: str) -> None:
        lines.append(line)
        (works if "works again" in line else failed).set()

    keeping = Keeping(tmp_path / "outbox", retry_s=0.05, longest_retry_s=0.2, patience_s=10)
    outbox = Outbox(sink_to(broker, WAKE), keeping, hear)
    first = Listener(broker.port)
    outbox.put(said(0))
    first.until(DECISIONS)
    first.close()
    broker.stop()
    for number in range(1, 6):
        outbox.put(said(number))
    assert failed.wait(10)
    broker.start()
    second = Listener(broker.port)
    assert works.wait(10)
    outbox.put(said(6))
    delivery = outbox.close()
    numbers = [json.loads(payload)["number"] for payload in second.until(DECISIONS, 2)]
    assert numbers[-1] <= 6
    assert (delivery.sent, delivery.waiting, delivery.dropped) == (7, 0, 0)
    assert delivery.failures > 0
    assert "kept and sent again" in lines[0]
    second.close()


def test_every_decision_reaches_one_who_listens_across_the_broker_s_death(broker: RunningBroker) -> None:
    """The listener connects again as soon as the broker is back, before the outbox tries again."""
    failed = Event()
    outbox = Outbox(
        sink_to(broker), Keeping(retry_s=2.5, longest_retry_s=2.5, patience_s=10), lambda line: failed.set()
    )
    broker.stop()
    for number in range(5):
        outbox.put(said(number))
    assert failed.wait(10)
    broker.start()
    listener = Listener(broker.port)
    delivery = outbox.close()
    assert [json.loads(p)["number"] for p in listener.until(DECISIONS, 5)] == [0, 1, 2, 3, 4]
    assert delivery.waiting == 0
    listener.close()


def test_a_broker_that_never_answers_loses_nothing(tmp_path: Path) -> None:
    sink = MqttSink(Broker("127.0.0.1", 1, timeout_s=1), PLACE)
    keeping = Keeping(tmp_path, retry_s=0.05, patience_s=0.3)
    outbox = Outbox(sink, keeping)
    outbox.put(said(0))
    delivery = outbox.close()
    assert (delivery.sent, delivery.waiting) == (0, 1)
    assert "does not answer" in str(delivery.last_failure)
    assert delivery.kept_in is not None
    assert "pico clock" in Path(delivery.kept_in).read_text()


def test_a_wrong_password_is_told_and_never_printed(tmp_path: Path) -> None:
    program = mosquitto()
    if program is None:
        pytest.skip("mosquitto is not installed (apt install mosquitto)")
    (tmp_path / "users").write_text("anna:right\n")
    tool = Path(program).parent.parent / "bin" / "mosquitto_passwd"
    if not tool.exists():
        pytest.skip("mosquitto_passwd is not installed")
    subprocess.run([tool, "-U", tmp_path / "users"], check=True, capture_output=True)
    with RunningBroker(tmp_path, tmp_path / "users") as running:
        right = MqttSink(Broker("127.0.0.1", running.port, "anna", "right"), PLACE)
        right.send(said(0), 0)
        right.close()
        wrong = Broker("127.0.0.1", running.port, "anna", "wrong-one", timeout_s=3)
        with pytest.raises(SinkError, match="did not accept") as caught:
            MqttSink(wrong, PLACE).send(said(0), 0)
    assert "wrong-one" not in f"{caught.value} {wrong!r}"


def test_what_is_no_broker_entity_or_place_is_refused() -> None:
    for host, port in (("", 1883), ("here", 0)):
        with pytest.raises(UserError, match="not a broker"):
            Broker(host, port)
    with pytest.raises(UserError, match="events"):
        Entity("wake", ("detected",), "event")
    with pytest.raises(UserError, match="no letter"):
        Place("###")


def test_without_paho_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "paho.mqtt.client", None)
    with pytest.raises(MissingExtra, match=r"pintsize\[mqtt\]"):
        MqttSink(Broker("here"), PLACE)


def test_it_leaves_the_device_even_to_this_machine() -> None:
    assert MqttSink(Broker("127.0.0.1"), PLACE).leaves_device

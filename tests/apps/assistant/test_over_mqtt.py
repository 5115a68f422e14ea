"""Orders at a real broker on this machine, also when it dies meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

from pintsize.apps.application import RunOptions
from pintsize.apps.assistant.actions import PLACE, entities
from pintsize.apps.assistant.application import APPLICATION
from pintsize.apps.assistant.pieces import Pieces
from pintsize.stream.sinks import Broker, CallbackSink, MqttSink
from tests.apps.assistant.playing import Sound
from tests.apps.assistant.tones import said
from tests.stream.sinks.broker import Listener, RunningBroker

SESSION = (1.0, "computer", 0.4, "order", 1.5)


def sink_to(port: int, pieces: Pieces) -> MqttSink:
    return MqttSink(Broker("127.0.0.1", port, timeout_s=3), PLACE, entities(pieces.wake.words))


def test_an_order_arrives_where_home_assistant_looks(broker: RunningBroker, tones: Pieces) -> None:
    listener = Listener(broker.port)
    APPLICATION.run(Sound(said(*SESSION)), [sink_to(broker.port, tones)], RunOptions(offline=False), tones)
    (order,) = listener.until("pintsize/voice_assistant/order/state")
    told = json.loads(order)
    assert (told["value"], told["slots"]) == ("orderDrink", {"coffeeDrink": "latte", "size": "small"})
    (action,) = listener.until("pintsize/voice_assistant/action/state")
    assert json.loads(action)["event_type"] == "coffee.make"
    listener.close()


def test_without_the_broker_nothing_is_lost_and_the_rest_goes_on(
    broker: RunningBroker, tones: Pieces, tmp_path: Path
) -> None:
    heard: list[str] = []
    said_lines: list[str] = []
    broker.stop()
    options = RunOptions(offline=False, outbox=tmp_path / "outbox", said=said_lines.append)
    sinks = [sink_to(broker.port, tones), CallbackSink(lambda decision: heard.append(decision.kind))]
    report = APPLICATION.run(Sound(said(*SESSION)), sinks, options, tones)
    assert heard == ["detected", "order", "action"]
    delivery = report.run.wall_clock.deliveries[0]
    assert (delivery.sent, delivery.waiting) == (0, 3)
    assert delivery.kept_in is not None
    assert "orderDrink" in Path(delivery.kept_in).read_text()
    assert any("does not answer" in line for line in said_lines)

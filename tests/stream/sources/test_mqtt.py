"""Samples over MQTT: what messages may look like, and a real broker that dies and comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest

from pintsize.errors import DataError, SourceLost
from pintsize.stream.block import Block
from pintsize.stream.health import monitor_of
from pintsize.stream.sources import SourceOptions, mqtt, open_source
from pintsize.stream.sources.mqtt_message import read_message
from tests.stream.sinks.broker import TIMEOUT_S, RunningBroker

paho = pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed (extra mqtt)")

MESSAGES = {
    "a number": (b"3.5", "json", 1, [[3.5]], None),
    "samples one after another": (b"[1, 2, 3]", "json", 1, [[1], [2], [3]], None),
    "one sample of two channels": (b"[1, 2]", "json", 2, [[1, 2]], None),
    "a row a sample": (b"[[1, 2], [3, 4]]", "json", 2, [[1, 2], [3, 4]], None),
    "with its time": (b'{"samples": [1, 2], "time_s": 12.5}', "json", 1, [[1], [2]], 12.5),
    "with milliseconds since 1970": (b'{"value": 7, "ts": 1700000000500}', "json", 1, [[7]], 1700000000.5),
    "with a written time": (b'{"value": 7, "time": "1970-01-01T00:01:00Z"}', "json", 1, [[7]], 60.0),
    "a field a channel": (b'{"1": 5, "0": 4, "other": "x"}', "json", 2, [[4, 5]], None),
    "raw int16": (np.array([1, -2, 3, -4], "<i2").tobytes(), "int16", 2, [[1, -2], [3, -4]], None),
    "raw float32": (np.array([0.5, -0.5], "<f4").tobytes(), "float32", 1, [[0.5], [-0.5]], None),
}
WRONG = {
    "no JSON": (b"\xff\x00", "json", 1), "no number": (b'"warm"', "json", 1), "nothing": (b"[]", "json", 1),
    "ragged": (b"[[1, 2], [3]]", "json", 2), "too many channels": (b"[[1, 2, 3]]", "json", 2),
    "another object": (b'{"warm": true}', "json", 2), "half a sample": (b"\x01", "int16", 1),
    "empty": (b"", "float32", 1), "no time": (b'{"value": 1, "time": "later"}', "json", 1),
    "infinite": (b'{"value": 1, "time": "NaN"}', "json", 1),
}  # fmt: skip


@pytest.mark.parametrize("kind", MESSAGES)
def test_messages(kind: str) -> None:
    payload, form, channels, samples, time_s = MESSAGES[kind]
    message = read_message(payload, form, [str(at) for at in range(channels)])
    assert message.samples.tolist() == samples
    assert message.samples.dtype == (np.int16 if form == "int16" else np.float32)
    assert message.time_s == time_s


def test_a_value_that_is_missing_is_not_a_number() -> None:
    assert np.isnan(read_message(b"[1, null]", "json", ["0"]).samples[1, 0])


@pytest.mark.parametrize("kind", WRONG)
def test_messages_that_are_none(kind: str) -> None:
    payload, form, channels = WRONG[kind]
    with pytest.raises(DataError, match="a message"):
        read_message(payload, form, [str(at) for at in range(channels)])


class Sender:
    """Who sends; each message has arrived at the broker when `send` is back."""

    def __init__(self, port: int) -> None:
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def send(self, *values: object, retain: bool = False) -> None:
        for value in values:
            payload = value if isinstance(value, bytes) else json.dumps(value)
            self._client.publish("room/air", payload, qos=1, retain=retain).wait_for_publish(TIMEOUT_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def until(blocks: Iterator[Block], value: float) -> list[Block]:
    """The blocks with samples up to the one of this value; heartbeats in between are left out."""
    found: list[Block] = []
    for block in islice(blocks, 400):
        found += [block] if len(block.samples) else []
        if found and float(found[-1].samples[0, 0]) == value:
            return found
    raise AssertionError(f"{value} did not come")


def subscribed(source: mqtt.Mqtt) -> Iterator[Block]:
    """The blocks, once messages arrive."""
    blocks = source.blocks()
    while not source.connected:
        next(blocks)
    return blocks


def opened(port: int, asked: str = "rate_hz=10", options: SourceOptions | None = None) -> mqtt.Mqtt:
    source = open_source(f"mqtt://127.0.0.1:{port}/room/air?{asked}", options)
    assert isinstance(source, mqtt.Mqtt)
    return source


@pytest.fixture(autouse=True)
def _soon_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "_SILENT_AFTER_S", 0.05)


def test_messages_become_blocks_at_their_times(broker: RunningBroker) -> None:
    sender = Sender(broker.port)
    with opened(broker.port) as source:
        blocks = subscribed(source)
        sender.send(*[{"value": at, "time_s": 100 + at / 10} for at in (0, 1, 2, 7)])
        four = until(blocks, 7)
    sender.close()
    assert [float(block.samples[0, 0]) for block in four] == [0, 1, 2, 7]
    assert [block.start_s for block in four] == [100.0, 100.1, 100.2, 100.7]
    assert [round(block.gap_before_s, 6) for block in four] == [0.0, 0.0, 0.0, 0.4]


def test_what_the_broker_kept_from_before_is_stale(broker: RunningBroker) -> None:
    sender = Sender(broker.port)
    sender.send({"value": -1, "time_s": 1.0}, retain=True)
    with opened(broker.port) as source:
        blocks = subscribed(source)
        sender.send({"value": 5, "time_s": 2.0})
        values = [float(block.samples[0, 0]) for block in until(blocks, 5)]
    sender.close()
    assert values == [5.0]


def test_a_broker_that_dies_and_comes_back(broker: RunningBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "_GIVE_UP_S", 20.0)
    sender = Sender(broker.port)
    with opened(broker.port) as source:
        monitor, blocks = monitor_of(source), subscribed(source)
        sender.send({"value": 1, "time_s": 1.0})
        assert monitor.see(until(blocks, 1)[0]).ok
        sender.close()
        broker.stop()
        while source.connected:
            next(blocks)
        dead = monitor.see(next(blocks))
        broker.start()
        while not source.connected:
            next(blocks)
        sender = Sender(broker.port)
        sender.send({"value": 8, "time_s": 50.0})
        late = until(blocks, 8)[0]
    sender.close()
    assert not dead.ok
    assert dead.faults == ("dead",)
    assert round(late.gap_before_s, 6) == 48.9
    assert monitor.see(late).reset


def test_a_broker_that_stays_away_is_given_up_with_the_reason(
    broker: RunningBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "_GIVE_UP_S", 0.2)
    with opened(broker.port) as source:
        blocks = subscribed(source)
        broker.stop()
        with pytest.raises(SourceLost, match=r"room/air: no broker for"):
            list(blocks)


def test_no_broker(broker: RunningBroker) -> None:
    broker.stop()
    with pytest.raises(DataError, match=f"no broker answers at 127.0.0.1:{broker.port}"):
        opened(broker.port)


def test_messages_that_cannot_be_read(broker: RunningBroker) -> None:
    sender = Sender(broker.port)
    with opened(broker.port) as source:
        blocks = subscribed(source)
        sender.send({"value": 1, "time_s": 1.0}, b"warm", {"value": 3, "time_s": 1.1})
        one, three = until(blocks, 3)
        assert source.refused_messages == 1
    assert (one.gap_before_s, three.gap_before_s) == (0.0, 0.1)
    with opened(broker.port) as source:
        blocks = subscribed(source)
        sender.send(b"warm")
        with pytest.raises(SourceLost, match="a message is not JSON"):
            list(blocks)
    sender.close()


def test_raw_samples_without_times_follow_one_another(broker: RunningBroker) -> None:
    sender = Sender(broker.port)
    content = np.arange(4000, dtype="<i2")
    with opened(broker.port, "rate_hz=1000&format=int16&channels=2") as source:
        blocks = subscribed(source)
        sender.send(content[:2000].tobytes(), content[2000:].tobytes())
        two = until(blocks, 2000)
        assert (source.channels, source.full_scale) == (2, 32768.0)
    sender.close()
    assert np.array_equal(np.concatenate([block.samples for block in two]), content.reshape(-1, 2))
    assert two[1].start_s == two[0].end_s

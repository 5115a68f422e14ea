"""Samples over MQTT through paho-mqtt.

Lossless while the broker is there. A broker that goes away is waited for: heartbeats come out, so that no old value
stays, and what was missed is a gap. After a while the source gives up with the reason.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import numpy as np

from pintsize.errors import DataError, SourceLost
from pintsize.stream.block import Block, heartbeat, time_tolerance_s
from pintsize.stream.convert import INT16_FULL_SCALE
from pintsize.stream.queue import BlockQueue
from pintsize.stream.sources.described import Described, Description, numbered
from pintsize.stream.sources.library import library
from pintsize.stream.sources.mqtt_message import Message, read_message
from pintsize.stream.sources.options import FORMATS, SourceOptions

_PORT = 1883
_CAPACITY_S = 60.0
_SILENT_AFTER_S = 2.0
#: a broker that stays away for so long is given up
_GIVE_UP_S = 30.0
#: messages without a time may be late by this, or by three times what they hold, before samples count as missing
_LATE_S = 1.0


@dataclass(frozen=True)
class Broker:
    """Where the messages are."""

    host: str
    port: int
    topic: str
    user: str | None
    password: str | None
    format: str


class Mqtt(Described):
    """Messages of one topic as blocks. Time is what the messages say, else it counts samples from the first one.

    refused_messages: how many could not be read; their samples are missing, which the next block says
    """

    def __init__(self, description: Description, broker: Broker, paho: Any) -> None:
        super().__init__(description)
        self.refused_messages = 0
        self._refused_since = False
        self._broker = broker
        nothing = heartbeat(self.channels, self.rate_hz, FORMATS.get(broker.format, np.dtype(np.float32)))
        capacity_s = max(_CAPACITY_S, 100 / self.rate_hz)  # slow sensors: a hundred values
        self._queue = BlockQueue("lossless", capacity_s, _SILENT_AFTER_S, nothing)
        self._index = 0
        self._due_s: float | None = None
        self._began_s = time.monotonic()
        self._lost: str | None = "not yet connected"  # why there is no connection now
        self._paho = paho
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._message
        if broker.user is not None:
            self._client.username_pw_set(broker.user, broker.password)

    @property
    def dropped_samples(self) -> int:
        return self._queue.dropped_samples

    @property
    def connected(self) -> bool:
        """Whether messages would arrive now."""
        return self._lost is None

    def connect(self) -> None:
        """Raises DataError where no broker answers."""
        try:
            self._client.connect(self._broker.host, self._broker.port)
        except (OSError, ValueError) as error:
            raise DataError(
                f"no broker answers at {self._broker.host}:{self._broker.port}: {error}"
            ) from error
        self._client.loop_start()

    def blocks(self) -> Iterator[Block]:
        """Raises SourceLost when the broker refuses, stays away, or sends what cannot be read from the start."""
        away_s = 0.0
        for block in self._queue.blocks():
            away_s = 0.0 if len(block.samples) or self._lost is None else away_s + _SILENT_AFTER_S
            if away_s > _GIVE_UP_S:
                raise SourceLost(f"{self.name}: no broker for {away_s:.0f} s ({self._lost})")
            yield block

    def close(self) -> None:
        self._queue.close()
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: Any, userdata: Any, flags: Any, code: Any, properties: Any) -> None:
        if code.is_failure:
            self._queue.end(f"{self.name}: the broker refuses: {code}")
            return
        client.subscribe(self._broker.topic, qos=1)

    def _subscribed(self, client: Any, userdata: Any, message: Any, codes: Any, properties: Any) -> None:
        if any(code.is_failure for code in codes):
            self._queue.end(f"{self.name}: the broker refuses the topic: {codes[0]}")
            return
        self._lost = None

    def _disconnected(self, client: Any, userdata: Any, flags: Any, code: Any, properties: Any) -> None:
        self._lost = str(code)

    def _message(self, client: Any, userdata: Any, message: Any) -> None:
        if message.retain:  # what the broker kept from before is stale
            return
        try:
            read = read_message(message.payload, self._broker.format, self.description.channel_names)
        except DataError as error:
            self._refused(str(error))
            return
        self._queue.put(self._block(read))

    def _refused(self, reason: str) -> None:
        self.refused_messages += 1
        self._refused_since = True
        if self._due_s is None:
            self._queue.end(f"{self.name}: {reason}")

    def _block(self, message: Message) -> Block:
        held_s = len(message.samples) / self.rate_hz
        arrived_s = time.monotonic() - self._began_s - held_s
        start_s, gap_s = _placed(message, self._due_s, arrived_s, held_s, self.rate_hz)
        if self._refused_since and not gap_s:
            gap_s = 1 / self.rate_hz  # at least one sample is missing
        self._refused_since = False
        self._due_s = start_s + held_s
        self._index += 1
        return Block(message.samples, start_s, self.rate_hz, gap_s, self._index - 1)


def _placed(
    message: Message, due_s: float | None, arrived_s: float, held_s: float, rate_hz: float
) -> tuple[float, float]:
    """When a message's samples begin, and what is missing before them."""
    start_s = arrived_s if message.time_s is None else message.time_s
    if due_s is None:
        return start_s, 0.0
    late_s = start_s - due_s
    if message.time_s is not None:
        return start_s, late_s if late_s > time_tolerance_s(rate_hz) else 0.0
    return (start_s, late_s) if late_s > max(_LATE_S, 3 * held_s) else (due_s, 0.0)


def open_mqtt(rest: str, options: SourceOptions) -> Mqtt:
    """rest: `//host/topic`, `//user:password@host:1883/topic?rate_hz=50&format=json&channels=3`.

    Raises DataError for an address without a host or a topic, and where nothing says the rate.
    """
    source = Mqtt(*_described(f"mqtt:{rest}", options), library("paho.mqtt.client"))
    source.connect()
    return source


def _described(text: str, options: SourceOptions) -> tuple[Description, Broker]:
    url = urlsplit(text)
    asked = _asked(url, text)
    topic = unquote(url.path).lstrip("/")
    if not url.hostname or not topic:
        raise DataError(f"{text} is not an address; write mqtt://host/topic?rate_hz=50")
    format_ = asked.get("format") or options.format or "json"
    if format_ not in (*FORMATS, "json"):
        raise DataError(f"format={format_} is not known: json, int16 or float32")
    rate_hz = _positive(asked.get("rate_hz"), "rate_hz", text) or options.source_rate_hz
    name = f"mqtt://{url.hostname}:{url.port or _PORT}/{topic}"
    if rate_hz is None:
        raise DataError(f"{name}: messages do not say their rate; write …/{topic}?rate_hz=50")
    by_name = not isinstance(options.channels, str) and all(isinstance(one, str) for one in options.channels)
    count = int(_positive(asked.get("channels"), "channels", text) or options.raw_channels)
    names = tuple(str(one) for one in options.channels) if by_name else numbered(count)
    short = format_ == "int16"
    full_scale = options.full_scale or (INT16_FULL_SCALE if short else 1.0)
    limits = (-INT16_FULL_SCALE, INT16_FULL_SCALE - 1) if short else None
    user, password = (unquote(part) if part else None for part in (url.username, url.password))
    description = Description(name, rate_hz, names, full_scale, limits, picked=by_name)
    return description, Broker(url.hostname, url.port or _PORT, topic, user, password, format_)


def _asked(url: SplitResult, text: str) -> dict[str, str]:
    asked = {key: values[-1] for key, values in parse_qs(url.query).items()}
    unknown = set(asked) - {"rate_hz", "format", "channels"}
    if unknown:
        raise DataError(
            f"{text}: {', '.join(sorted(unknown))} is not known; known are rate_hz, format, channels"
        )
    return asked


def _positive(said: str | None, name: str, text: str) -> float | None:
    if said is None:
        return None
    try:
        value = float(said)
    except ValueError:
        value = 0.0
    if not (value > 0 and np.isfinite(value)) or (name == "channels" and value != int(value)):
        raise DataError(f"{text}: {name}={said} must be a number above 0")
    return value

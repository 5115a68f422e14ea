"""Decisions published to an MQTT broker, each acknowledged by it, with Home Assistant's discovery."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

from pintsize.errors import MissingExtra, SinkError, UserError
from pintsize.stream.decision import Decision, record
from pintsize.stream.sinks.home_assistant import (
    OFFLINE,
    ONLINE,
    Entity,
    Place,
    discovery,
    state_payload,
)

if TYPE_CHECKING:
    from paho.mqtt.client import Client


@dataclass(frozen=True)
class Broker:
    """Where the broker is. tls: with the certificates that this system trusts; timeout_s: for it to answer."""

    host: str
    port: int = 1883
    user: str | None = None
    password: str | None = None
    tls: bool = False
    timeout_s: float = 5.0

    def __post_init__(self) -> None:
        if not self.host or not 0 < self.port < 65536 or not self.timeout_s > 0:
            raise UserError(
                f"MQTT broker {self.host!r}:{self.port}, timeout {self.timeout_s} s: not a broker"
            )

    def __repr__(self) -> str:
        return f"Broker({self.host!r}, {self.port})"  # never the password


class MqttSink:
    """Publishes to `pintsize/<place>/decisions`, and to the topic of each entity that shows the kind of decision.

    A decision is sent when the broker has acknowledged it (QoS 1). The connection is made when there is something to
    send, and anew after a failure: a broker that dies and returns gets what it missed, from the outbox that calls
    this. The number of the decision goes with it, for after a failure it may come twice.
    A broker on this machine counts as leaving the device too: it may pass on what it gets.

    Raises MissingExtra without paho-mqtt.
    """

    leaves_device = True
    waits = True

    def __init__(self, broker: Broker, place: Place, entities: Sequence[Entity] = ()) -> None:
        try:
            import paho.mqtt.client  # noqa: F401
        except ModuleNotFoundError as error:
            raise MissingExtra("paho-mqtt", "mqtt") from error
        self.name = f"MQTT {broker.host}:{broker.port}"
        self._broker, self._place, self._entities = broker, place, tuple(entities)
        self._client: Client | None = None

    def send(self, decision: Decision, number: int) -> None:
        told = {"number": number, **record(decision)}
        messages = [(self._place.decisions, json.dumps(told).encode())]
        for entity in self._entities:
            payload = state_payload(entity, told) if decision.kind in entity.kinds else None
            if payload is not None:
                messages.append((self._place.state(entity), payload))
        client = self._connected()
        for topic, payload in messages:
            self._publish(client, topic, payload)

    def close(self) -> None:
        """Says that we are gone, so that no value stands there as if it were new."""
        client = self._client
        if client is None:
            return
        try:
            self._publish(client, self._place.availability, OFFLINE.encode(), retain=True)
        except SinkError:
            return  # the broker is gone: its last will, or its absence, says the same
        self._leave()

    def _connected(self) -> Client:
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _connect(self) -> Client:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        answered, refused = Event(), list[str]()

        def on_connect(client: Client, data: object, flags: object, reason: Any, more: object) -> None:
            if reason.is_failure:
                refused.append(str(reason))
            else:
                self._announce(client)
            answered.set()

        client = Client(CallbackAPIVersion.VERSION2)
        client.on_connect = on_connect
        client.connect_timeout = self._broker.timeout_s
        client.will_set(self._place.availability, OFFLINE, qos=1, retain=True)
        if self._broker.user is not None:
            client.username_pw_set(self._broker.user, self._broker.password)
        if self._broker.tls:
            client.tls_set()
        try:
            client.connect(self._broker.host, self._broker.port)
        except (OSError, ValueError) as error:
            raise SinkError(f"{self.name} does not answer: {error}") from error
        client.loop_start()
        if not answered.wait(self._broker.timeout_s) or refused:
            client.disconnect()
            client.loop_stop()
            raise SinkError(f"{self.name} did not accept the connection: {(refused or ['no answer'])[0]}")
        return client

    def _announce(self, client: Client) -> None:
        """After every connection, also one that paho made anew while nothing was to be sent."""
        for entity in self._entities:
            topic, content = discovery(self._place, entity)
            client.publish(topic, content, qos=1, retain=True)
        client.publish(self._place.availability, ONLINE, qos=1, retain=True)

    def _publish(self, client: Client, topic: str, payload: bytes, retain: bool = False) -> None:
        """Raises SinkError unless the broker acknowledges it in time."""
        message = client.publish(topic, payload, qos=1, retain=retain)
        try:
            message.wait_for_publish(self._broker.timeout_s)
            acknowledged = message.is_published()
        except (RuntimeError, ValueError) as error:
            self._leave()
            raise SinkError(f"{self.name} was lost: {error}") from error
        if not acknowledged:
            self._leave()
            raise SinkError(f"{self.name} did not acknowledge within {self._broker.timeout_s:g} s")

    def _leave(self) -> None:
        """Without the client: what it still queues must not come beside our own second attempt."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

"""Where decisions go; nothing is lost when a sink fails, and none leaves the device unasked."""

from pintsize.stream.sinks.callback import CallbackSink
from pintsize.stream.sinks.console import ConsoleSink
from pintsize.stream.sinks.home_assistant import Entity, Place
from pintsize.stream.sinks.json_lines import JsonLinesSink
from pintsize.stream.sinks.mqtt import Broker, MqttSink
from pintsize.stream.sinks.outbox import Delivery, Keeping, Outbox
from pintsize.stream.sinks.sink import Sink, refuse_leaving
from pintsize.stream.sinks.spoken import SpokenSink, can_speak

__all__ = [
    "Broker", "CallbackSink", "ConsoleSink", "Delivery", "Entity", "JsonLinesSink", "Keeping", "MqttSink", "Outbox",
    "Place", "Sink", "SpokenSink", "can_speak", "refuse_leaving",
]  # fmt: skip

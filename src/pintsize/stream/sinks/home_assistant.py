"""How decisions appear in Home Assistant without anybody configuring it there.

Source: home-assistant.io/integrations/mqtt, "MQTT discovery", and the pages of sensor, binary_sensor and event.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from pintsize.errors import UserError
from pintsize.version import VERSION

Component = Literal["sensor", "binary_sensor", "event"]
DISCOVERY_PREFIX = "homeassistant"
#: what is published on the topic of availability; the broker itself says the second one when we are gone
ONLINE, OFFLINE = "online", "offline"


@dataclass(frozen=True)
class Entity:
    """What one kind of decision is in Home Assistant.

    kinds: the kinds of decision that it shows
    component: "sensor" shows the last value, "binary_sensor" is on from "began" to "ended", "event" is momentary
    events: of an "event": the values that may come
    device_class, unit: as Home Assistant names them; expire_after_s: without news for that long it is unavailable
    """

    name: str
    kinds: tuple[str, ...]
    component: Component = "sensor"
    events: tuple[str, ...] = ()
    device_class: str | None = None
    unit: str | None = None
    expire_after_s: int | None = None

    def __post_init__(self) -> None:
        if not self.kinds or not topic_part(self.name):
            raise UserError(f"the entity {self.name!r} needs a name and at least one kind of decision")
        if (self.component == "event") != bool(self.events):
            raise UserError(
                f"the entity {self.name!r}: events are given for the component 'event', and only there"
            )


@dataclass(frozen=True)
class Place:
    """Which device it is: its name, its id (of all topics), and the prefix under which Home Assistant looks."""

    name: str
    model: str = ""
    prefix: str = DISCOVERY_PREFIX

    def __post_init__(self) -> None:
        if not topic_part(self.name):
            raise UserError(f"{self.name!r} has no letter or digit to make a topic of")

    @property
    def id(self) -> str:
        return topic_part(self.name)

    @property
    def base(self) -> str:
        return f"pintsize/{self.id}"

    @property
    def availability(self) -> str:
        return f"{self.base}/availability"

    def state(self, entity: Entity) -> str:
        return f"{self.base}/{topic_part(entity.name)}/state"

    @property
    def decisions(self) -> str:
        """Where every decision goes, also those that no entity shows."""
        return f"{self.base}/decisions"


def topic_part(text: str) -> str:
    """Of any text what may stand in a topic: letters, digits, hyphen, underscore."""
    return re.sub(r"[^a-z0-9_-]+", "_", text.lower()).strip("_")


def discovery(place: Place, entity: Entity) -> tuple[str, bytes]:
    """Topic and content, to be retained, by which Home Assistant finds the entity."""
    own = topic_part(entity.name)
    content: dict[str, Any] = {
        "name": entity.name,
        "unique_id": f"pintsize_{place.id}_{own}",
        "state_topic": place.state(entity),
        "availability_topic": place.availability,
        "payload_available": ONLINE,
        "payload_not_available": OFFLINE,
        "device": {
            "identifiers": [f"pintsize_{place.id}"],
            "name": place.name,
            "manufacturer": "pintsize",
            "model": place.model or "pintsize",
            "sw_version": VERSION,
        },
        "origin": {"name": "pintsize", "sw_version": VERSION},
        **_of_component(place, entity),
    }
    optional = {"device_class": entity.device_class, "unit_of_measurement": entity.unit}
    content |= {key: value for key, value in optional.items() if value}
    if entity.expire_after_s is not None and entity.component != "event":
        content["expire_after"] = entity.expire_after_s
    return f"{place.prefix}/{entity.component}/{place.id}/{own}/config", json.dumps(content).encode()


def _of_component(place: Place, entity: Entity) -> dict[str, Any]:
    if entity.component == "event":
        return {"event_types": list(entity.events)}
    attributes = {"json_attributes_topic": place.state(entity)}
    if entity.component == "sensor":  # None is how Home Assistant is told that the value is not known
        return {"value_template": "{{ value_json.value }}", **attributes}
    return {
        "value_template": "{{ value_json.state }}",
        "payload_on": "on",
        "payload_off": "off",
        **attributes,
    }


def state_payload(entity: Entity, told: dict[str, Any]) -> bytes | None:
    """What the entity's topic gets for a decision (its record); None: nothing, an event without a value is none."""
    if entity.component == "event":
        known = told["value"] in entity.events
        return json.dumps({"event_type": told["value"], **told}).encode() if known else None
    if entity.component == "binary_sensor":
        state = {"began": "on", "ended": "off"}.get(told["kind"], "None")
        return json.dumps({"state": state, **told}).encode()
    return json.dumps(told).encode()

"""What an understood order does: an action with its arguments for the home, and a sentence to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pintsize.apps.assistant.understood import Understood

NOT_UNDERSTOOD = "Sorry, I did not understand that."


@dataclass(frozen=True)
class Action:
    """name: of a service, as Home Assistant writes it; None where only something is said.

    arguments: names of the service's own → words of the order. reply: a sentence.
    """

    name: str | None
    arguments: tuple[tuple[str, str], ...]
    reply: str


@dataclass(frozen=True)
class _Rule:
    """name: of the action; arguments: slot → the action's name for it; reply: with {target} where the slots say
    it, which is `otherwise` where they do not."""

    name: str | None
    arguments: Mapping[str, str]
    reply: str
    target: tuple[str, ...] = ()
    otherwise: str = ""


_LIGHT = {
    "house_place": "area",
    "change_amount": "amount",
    "color_type": "color",
    "time": "time",
    "timeofday": "time_of_day",
}
_PLUG = {"device_type": "device", "house_place": "area", "time": "time"}
_VOLUME = {"device_type": "device", "change_amount": "amount", "media_type": "media"}
_ALARM = {"date": "date", "time": "time", "timeofday": "time_of_day", "alarm_type": "alarm",
          "general_frequency": "every", "event_name": "event"}  # fmt: skip
_IN = ("house_place",)

#: intents of HWU that act on the home
HOME: Mapping[str, _Rule] = {
    "iot_hue_lighton": _Rule("light.turn_on", _LIGHT, "Turning on the lights{target}.", _IN),
    "iot_hue_lightoff": _Rule("light.turn_off", _LIGHT, "Turning off the lights{target}.", _IN),
    "iot_hue_lightdim": _Rule("light.dim", _LIGHT, "Dimming the lights{target}.", _IN),
    "iot_hue_lightup": _Rule("light.brighten", _LIGHT, "Making the lights{target} brighter.", _IN),
    "iot_hue_lightchange": _Rule("light.set_color", _LIGHT, "Changing the lights{target}.", ("color_type",)),
    "iot_wemo_on": _Rule("switch.turn_on", _PLUG, "Switching on the{target}.", ("device_type",), "plug"),
    "iot_wemo_off": _Rule("switch.turn_off", _PLUG, "Switching off the{target}.", ("device_type",), "plug"),
    "iot_coffee": _Rule(
        "coffee.make", {"coffee_type": "coffee", "device_type": "device", "time": "time"},
        "Making{target}.", ("coffee_type",), "coffee",
    ),
    "iot_cleaning": _Rule(
        "vacuum.start", {"house_place": "area", "device_type": "device", "time": "time", "date": "date"},
        "Cleaning the{target}.", ("house_place",), "floor",
    ),
    "audio_volume_up": _Rule("volume.up", _VOLUME, "Louder."),
    "audio_volume_down": _Rule("volume.down", _VOLUME, "Quieter."),
    "audio_volume_mute": _Rule("volume.mute", _VOLUME, "Muted."),
    "alarm_set": _Rule("alarm.set", _ALARM, "Setting an alarm{target}.", ("time",)),
    "alarm_remove": _Rule("alarm.remove", _ALARM, "Removing the alarm{target}.", ("time",)),
    "alarm_query": _Rule("alarm.list", _ALARM, "These are your alarms."),
}  # fmt: skip

#: intents of CLINC150 that have an answer of their own; everything else is said back
_SAID: Mapping[str, _Rule] = {
    "weather": _Rule(None, {}, "You asked for the weather{target}.", ("city", "state", "country", "timeRange")),
    "play_music": _Rule(
        None, {}, "You want to hear{target}.", ("track", "album", "playlist", "genre", "artist"), "music",
    ),
    "update_playlist": _Rule(None, {}, "You want to change{target}.", ("playlist",), "a playlist"),
    "restaurant_reservation": _Rule(None, {}, "You want a table{target}.", ("restaurant_name", "city", "timeRange")),
    "greeting": _Rule(None, {}, "Hello."),
    "goodbye": _Rule(None, {}, "Goodbye."),
    "thank_you": _Rule(None, {}, "You are welcome."),
}  # fmt: skip
#: how a slot is joined to the sentence
_JOINTS: Mapping[str, str] = {
    "house_place": " in the ", "city": " in ", "state": ", ", "country": ", ", "timeRange": ", ", "time": " for ",
    "color_type": " to ", "artist": " by ", "restaurant_name": " at ",
}  # fmt: skip
#: here the place itself is the object
_OBJECTS = frozenset({"iot_cleaning"})


def action_of(understood: Understood) -> Action:
    """What to do about an order; one that was not understood does nothing and says so."""
    if understood.intent is None:
        return Action(None, (), NOT_UNDERSTOOD)
    rule = HOME.get(understood.intent) or _SAID.get(understood.intent)
    if rule is None:
        return Action(None, (), f"You asked about {understood.intent.replace('_', ' ')}.")
    slots = dict(understood.slots)
    arguments = tuple((own, slots[slot]) for slot, own in rule.arguments.items() if slot in slots)
    return Action(rule.name, arguments, rule.reply.format(target=_target(understood.intent, rule, slots)))


def _target(intent: str, rule: _Rule, slots: Mapping[str, str]) -> str:
    told = [slot for slot in rule.target if slot in slots]
    if not told:
        return f" {rule.otherwise}" if rule.otherwise else ""
    return "".join((" " if intent in _OBJECTS else _JOINTS.get(slot, " ")) + slots[slot] for slot in told)

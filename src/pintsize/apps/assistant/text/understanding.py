"""One answer from the two networks: which intent of which data set counts, and whose slots belong to it.

An order for the home is told with HWU's intent, which says what is to be done, where CLINC150's answer allows it: that
something in the home is meant, or nothing that it knows, or nothing of which it is nearly as sure. Everything else
is CLINC150's, or out of scope.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pintsize.apps.assistant.text.actions import HOME
from pintsize.apps.assistant.text.intents import Intents, Ranked
from pintsize.apps.assistant.text.sentences import CLINC, HWU, SNIPS
from pintsize.apps.assistant.text.slots import Slots
from pintsize.apps.assistant.text.spans import Span
from pintsize.apps.assistant.understood import Understood

#: an intent of HWU for the home → intents of CLINC150 that mean something alike
ALIKE: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(HOME, frozenset({"smart_home"})),
    **dict.fromkeys(
        ("audio_volume_up", "audio_volume_down", "audio_volume_mute"), frozenset({"change_volume"})
    ),
    **dict.fromkeys(("alarm_set", "alarm_remove", "alarm_query"), frozenset({"alarm"})),
    "iot_coffee": frozenset({"smart_home", "order", "recipe"}),
}
#: how sure HWU must be of an order for the home: where CLINC150 means something alike, where it is sure of nothing, and
#: where it means something else, then also by so much surer
_SURE_WITH, _SURE_ALONE, _SURE_AGAINST, _SURER = 0.5, 0.8, 0.95, 0.1
#: without these slots nobody knows what to switch, and nothing is guessed
_NEEDED = {"iot_wemo_on": "device_type", "iot_wemo_off": "device_type"}
#: intents of CLINC150 whose slots SNIPS names; the others' are named as HWU does
_SNIPS_SLOTS = frozenset({"weather", "play_music", "update_playlist", "restaurant_reservation"})


class Understanding:
    """What an order in text means."""

    def __init__(self, intents: Intents, slots: Slots) -> None:
        self.intents, self.slots = intents, slots

    @classmethod
    def load(cls, folder: Path | None = None) -> Understanding:
        """From `intents` and `slots` in a folder; None: the shipped ones.

        Raises UserError for a folder that is none of this kind, VerificationError for one that was changed.
        """
        if folder is None:
            return cls(Intents.load(), Slots.load())
        return cls(Intents.load(folder / "intents"), Slots.load(folder / "slots"))

    def understand(self, text: str) -> Understood:
        """Any text at all; of a long one the beginning. Never raises for what stands in it."""
        if not self.intents.features.split(text):
            return Understood(None, (), 0.0, "there are no words in it")
        if not any(letter.isalnum() for letter in text):
            return Understood(None, (), 0.0, "there is no letter and no digit in it")
        ranked = self.intents.rank(text)
        home = for_the_home(ranked)
        if home is not None:
            slots = self._slots(text, HWU)
            if _NEEDED.get(home.intent) in (None, *(name for name, _ in slots)):
                return Understood(home.intent, slots, home.confidence)
        best = ranked[CLINC]
        if not best.sure:
            return Understood(None, (), best.confidence, self._reason(best))
        corpus = SNIPS if best.intent in _SNIPS_SLOTS else HWU
        return Understood(best.intent, self._slots(text, corpus), best.confidence)

    def _reason(self, best: Ranked) -> str:
        if best.outside:
            return f"out of scope: none of the known intents; the nearest is {best.intent}"
        least = self.intents.least_confidence
        return f"out of scope: {best.intent} with {best.confidence:.2f}, where {least:.2f} is asked for"

    def _slots(self, text: str, corpus: str) -> tuple[tuple[str, str], ...]:
        return filled(text, self.slots.find(text, corpus))


def filled(text: str, spans: Sequence[Span]) -> tuple[tuple[str, str], ...]:
    """(name, words) of each slot, in the order in which they were said; of one that is said twice both."""
    found: dict[str, str] = {}
    for span in sorted(spans):
        words = text[span.start : span.end]
        found[span.name] = f"{found[span.name]} and {words}" if span.name in found else words
    return tuple(found.items())


def for_the_home(ranked: Mapping[str, Ranked]) -> Ranked | None:
    """HWU's intent where it is one for the home and nothing speaks against it."""
    home, general = ranked[HWU], ranked[CLINC]
    if home.intent not in HOME:
        return None
    if general.intent in ALIKE[home.intent]:
        return home if home.confidence >= _SURE_WITH else None
    if not general.sure:
        return home if home.confidence >= _SURE_ALONE else None
    surer = home.confidence - general.confidence >= _SURER
    return home if surer and home.confidence >= _SURE_AGAINST else None

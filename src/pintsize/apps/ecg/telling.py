"""What a run tells in a terminal and to a broker."""

from __future__ import annotations

from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from pintsize.apps.ecg.rhythm import NAMES
from pintsize.apps.ecg.study import Study
from pintsize.apps.ecg.triage import NOTICE, Level
from pintsize.stream.decision import Decision
from pintsize.stream.sinks import Entity, Place, Sink

PLACE = Place("Portable ECG", "pintsize ecg")
#: a rate that is older is no longer shown
_SHOWN_S = 30
ENTITIES = (
    Entity("Heart rate", ("rate",), unit="bpm", expire_after_s=_SHOWN_S),
    Entity("Finding", ("finding",), "event", tuple(NAMES.values())),
    Entity("Triage", ("triage",)),
    Entity("Signal", ("quality", "health", "lead")),
)
COLOURS = {Level.URGENT: "red", Level.REPEAT: "yellow", Level.REFER: "yellow", Level.NORMAL: "green"}


class Shown:
    """A sink that is told everything but the beats, and hands it on: a recording of half an hour has thousands."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.name, self.leaves_device, self.waits = sink.name, sink.leaves_device, sink.waits

    def send(self, decision: Decision, number: int) -> None:
        if decision.kind not in ("beat", "rate"):
            self._sink.send(decision, number)

    def close(self) -> None:
        self._sink.close()


def verdict(study: Study) -> Panel:
    """What should be done, and why."""
    level = study.triage.level
    reasons = Text("\n".join(f"· {reason}" for reason in study.triage.reasons))
    return Panel(
        Group(reasons, Text(f"{NOTICE}.", style="dim")),
        title=Text(study.triage.name, style=f"bold {COLOURS[level]}"),
        title_align="left",
    )

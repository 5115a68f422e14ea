"""The wearable as a whole: source → heart rate, motion, activity → alerts and a day → sinks, on this device alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pintsize.apps.application import Metrics, RunOptions, Said, nobody
from pintsize.apps.evidence import Evaluation
from pintsize.apps.stages import AppReport
from pintsize.apps.wearable.alerts import HIGH, LOW, SILENT
from pintsize.apps.wearable.day import Day
from pintsize.apps.wearable.parts import innermost, parts_of
from pintsize.apps.wearable.wearer import Wearer
from pintsize.apps.wearable.wearing import Wearing
from pintsize.stream.decision import Decision
from pintsize.stream.sinks import Entity, Place, Sink
from pintsize.stream.source import Source
from pintsize.stream.sources.ble import Ble

NAME = "wearable"
NOTICE = "Not a medical device: a screening aid, not a diagnosis."
PLACE = Place("Wearable", "pintsize wearable")
#: a rate that is older is no longer shown
_SHOWN_S = 90
ENTITIES = (
    Entity("Heart rate", ("heart_rate",), expire_after_s=_SHOWN_S),
    Entity("Zone", ("zone",), expire_after_s=_SHOWN_S),
    Entity("Activity", ("activity",)),
    Entity("Sleep", ("sleep",)),
    Entity("Alert", ("alert",), "event", (HIGH, LOW, SILENT)),
    Entity("Signal", ("health",)),
)


class Wearable:
    """The `Application` of that name."""

    name = NAME

    def run(
        self,
        source: Source,
        sinks: Sequence[Sink],
        options: RunOptions | None = None,
        wearer: Wearer | None = None,
    ) -> AppReport:
        """Runs until the source ends. Raises UserError, before anything runs, for what does not fit together."""
        return self.run_day(source, sinks, options, wearer)[0]

    def run_day(
        self,
        source: Source,
        sinks: Sequence[Sink],
        options: RunOptions | None = None,
        wearer: Wearer | None = None,
        first: Sequence[Decision] = (),
    ) -> tuple[AppReport, Day]:
        """As `run`; also what the day's page shows. first: decisions (of a night) that the sinks are told before."""
        options, wearer = options or RunOptions(), wearer or Wearer()
        day = Day(source.name, wearer.zones)
        sensor = innermost(source)
        if isinstance(sensor, Ble):
            sensor.on_state = options.said
        parts = parts_of(source, day, wearer, options.weights)
        for note in day.notes:
            options.said(note)
        return Wearing(source, parts, options).run(sinks, first), day

    def evaluate(self, data: Path, said: Said = nobody) -> Evaluation:
        """The pieces' metrics on people that no training saw. Raises DataError where none of the data is there."""
        from pintsize.apps.wearable.evaluation import evaluate

        return evaluate(data, said)

    def build(self, device: str, out: Path, weights: Path | None = None, said: Said = nobody) -> Metrics:
        """The application as C. Raises DeviceError for a device that is not known, DoesNotFit."""
        from pintsize.apps.wearable.firmware import build

        return build(device, out, weights, said)


APPLICATION = Wearable()

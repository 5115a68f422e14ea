"""One run: each block of the source to each of its parts, decisions to the sinks, and the report at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack

from pintsize.apps.application import RunOptions
from pintsize.apps.stages import AppReport, app_report, shipped_energy
from pintsize.apps.wearable.part import Part
from pintsize.apps.wearable.parts import Parts
from pintsize.errors import SinkError, SourceLost
from pintsize.stream.block import Block
from pintsize.stream.decision import Decision
from pintsize.stream.health import Health
from pintsize.stream.intake import Intake
from pintsize.stream.recording import Recorder
from pintsize.stream.report import Replayable, RunReport, WallClock, energy_of
from pintsize.stream.sinks import Delivery, Keeping, Outbox, Sink, refuse_leaving
from pintsize.stream.source import Source
from pintsize.stream.tally import Tally

#: a second of signal should take no longer than a second
DEADLINE_S = 1.0
OVERLOAD = "none: a second of signal is worked on in milliseconds, and what comes meanwhile waits"


class Wearing:
    """The state of one run."""

    def __init__(self, source: Source, parts: Parts, options: RunOptions) -> None:
        self._source, self._parts, self._options = source, parts, options
        self._outboxes: list[Outbox] = []
        self._now_s = 0.0
        self._tally = Tally()
        self._recorder: Recorder | None = options.recorder
        self._recorded = str(options.recorder.path) if options.recorder else None
        self._intake = Intake(source) if options.live else None

    def run(self, sinks: Sequence[Sink], first: Sequence[Decision] = ()) -> AppReport:
        """Until the source ends, breaks, or the user interrupts. Raises OfflineRefusal before anything runs.

        first: what was decided before, and is told to the sinks too.
        """
        refuse_leaving(tuple(sinks), self._options.offline)
        deliveries: list[Delivery] = []
        with ExitStack() as stack:
            stack.callback(self._source.close)
            stack.callback(lambda: self._record(lambda recorder: recorder.close()))
            if self._intake is not None:
                stack.callback(self._intake.close)
            for sink in sinks:
                outbox = Outbox(sink, Keeping(folder=self._options.outbox), self._options.said)
                self._outboxes.append(outbox)
                stack.callback(lambda closing=outbox: deliveries.append(closing.close()))
            self._tell(first)
            ended = self._work()
        return self._report(ended, tuple(deliveries[::-1]))

    def _work(self) -> str:
        blocks = self._source.blocks() if self._intake is None else self._intake.blocks()
        try:
            for block in blocks:
                self._take(block)
        except SourceLost as error:
            return self._end_broken(str(error))
        except KeyboardInterrupt:
            self._tell(self._each(lambda part: part.finish()))
            return "interrupted"
        self._tell(self._each(lambda part: part.finish()))
        return "the source's end"

    def _end_broken(self, reason: str) -> str:
        """What was told does not hold any more."""
        self._options.said(reason)
        self._tell(self._each(lambda part: part.broke(reason) + part.finish()))
        self._tell([Decision(self._now_s, "health", None, reason=reason)])
        return f"the source was lost: {reason}"

    def _take(self, block: Block) -> None:
        self._record(lambda recorder: recorder.add(block))
        self._now_s = block.end_s
        self._tally.saw(block, Health(True, None, (), True, False, block.start_s))
        for part in self._parts.all:
            self._tell(part.see(block))

    def _each(self, act: Callable[[Part], list[Decision]]) -> list[Decision]:
        return [decision for part in self._parts.all for decision in act(part)]

    def _tell(self, decisions: Iterable[Decision]) -> None:
        for decision in decisions:
            self._tally.told(decision)
            for outbox in self._outboxes:
                outbox.put(decision)

    def _record(self, act: Callable[[Recorder], None]) -> None:
        """A recording that cannot go on ends, and the run goes on."""
        if self._recorder is None:
            return
        try:
            act(self._recorder)
        except SinkError as error:
            self._recorder, self._recorded = None, str(error)
            self._options.said(str(error))

    def _report(self, ended: str, deliveries: tuple[Delivery, ...]) -> AppReport:
        tally, stages = self._tally, self._parts.stages
        for part in self._parts.all:
            tally.faults.update(part.faults)
        steps = sum(stage.times.count for stage in stages)
        manifest = stages[-1].artifact.manifest if stages else None
        mj_per_step, device = (None, "no device") if manifest is None else shipped_energy(manifest)
        happened = Replayable(
            source=self._source.name,
            artifact="none" if manifest is None else manifest.name,
            device="none" if manifest is None else manifest.device,
            ended=ended,
            signal_s=round(tally.signal_s, 6),
            samples=tally.samples,
            blocks=tally.blocks,
            dropped_samples=self._source.dropped_samples,
            steps=steps,
            skipped_steps=0,
            without_value=sum(part.without_value for part in self._parts.all),
            resets=sum(part.resets for part in self._parts.all),
            faults=dict(sorted(tally.faults.items())),
            decisions=dict(sorted(tally.decisions.items())),
            overload_rule=OVERLOAD,
            overload_from_s=(),
            deadline_ms=1e3 * DEADLINE_S,
            modelled_step_ms=None,
            modelled_missed_deadlines=None,
            energy=energy_of(mj_per_step, device, stages[-1].times.count if stages else 0, tally.signal_s),
            recording=self._recorded,
        )
        slowest = stages[-1].times.summary() if stages else tally.step_times.summary()
        clock = WallClock(slowest, tally.behind.summary(), tally.late, deliveries)
        return app_report(RunReport(happened, clock), stages)

"""Runs an application: source → health → convert → artifact → decision → sinks, and reports.

A replay is one thread and knows no clock but the source's: it decides the same, byte for byte, on every run. A live
source is fetched by a thread of its own, and each sink that may wait has one; what decides is one thread there too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack

from pintsize.errors import UserError
from pintsize.stream.artifact import Artifact
from pintsize.stream.loop import Loop
from pintsize.stream.overload import in_words
from pintsize.stream.recording import Recorder
from pintsize.stream.report import Replayable, RunReport, WallClock, energy_of
from pintsize.stream.settings import Decider, Settings
from pintsize.stream.sinks.journal import file_name
from pintsize.stream.sinks.outbox import Delivery, Outbox
from pintsize.stream.sinks.sink import Sink, refuse_leaving
from pintsize.stream.source import Source


def run(
    source: Source,
    artifact: Artifact,
    decider: Decider,
    sinks: Iterable[Sink],
    settings: Settings | None = None,
    recorder: Recorder | None = None,
    said: Callable[[str], None] = lambda line: None,
) -> RunReport:
    """Runs until the source ends, breaks, or the user interrupts; then everything is sent, closed and reported.

    recorder: keeps the blocks as the source gave them; said: gets lines for a person.
    Raises UserError, before anything runs, for settings that do not fit together; OfflineRefusal for a sink that leaves
    the device.
    """
    settings, sinks = settings or Settings(), tuple(sinks)
    refuse_leaving(sinks, settings.offline)
    _require_places(sinks, settings)
    loop = Loop(source, artifact, decider, settings, recorder, said)
    deliveries: list[Delivery] = []
    with ExitStack() as stack:
        stack.callback(source.close)
        stack.callback(loop.end_recording)
        stack.callback(loop.end_intake)
        for sink in sinks:
            outbox = Outbox(sink, settings.keeping, said)
            loop.outboxes.append(outbox)
            stack.callback(lambda closing=outbox: deliveries.append(closing.close()))
        ended = loop.work()
    return _report(loop, ended, tuple(deliveries[::-1]))


def _require_places(sinks: tuple[Sink, ...], settings: Settings) -> None:
    """Each sink's outbox on disk is called like the sink."""
    names = [file_name(sink.name) for sink in sinks]
    if settings.keeping.folder is not None and len(set(names)) < len(names):
        raise UserError(
            f"the outboxes of sinks {[sink.name for sink in sinks]} would share a file: name them apart"
        )


def _report(loop: Loop, ended: str, deliveries: tuple[Delivery, ...]) -> RunReport:
    settings, manifest, tally = loop.settings, loop.artifact.manifest, loop.tally
    dropped = loop.source.dropped_samples + (loop.intake.dropped_samples if loop.intake else 0)
    mj_per_step = manifest.energy_mj if settings.mj_per_step is None else settings.mj_per_step
    modelled = settings.modelled_step_s
    happened = Replayable(
        source=loop.source.name,
        artifact=manifest.name,
        device=manifest.device,
        ended=ended,
        signal_s=round(tally.signal_s, 6),
        samples=tally.samples,
        blocks=tally.blocks,
        dropped_samples=dropped + tally.dropped_samples,
        steps=tally.steps,
        skipped_steps=tally.skipped_steps,
        without_value=tally.without_value,
        resets=tally.resets,
        faults=dict(sorted(tally.faults.items())),
        decisions=dict(sorted(tally.decisions.items())),
        overload_rule=in_words(loop.rule, settings.overload),
        overload_from_s=tuple(tally.overload_from_s),
        deadline_ms=round(1e3 * loop.deadline_s, 6),
        modelled_step_ms=None if modelled is None else 1e3 * modelled,
        modelled_missed_deadlines=None if modelled is None else tally.modelled_late,
        energy=energy_of(mj_per_step, settings.energy_device or manifest.device, tally.steps, tally.signal_s),
        recording=loop.recorded,
    )
    clock = WallClock(tally.step_times.summary(), tally.behind.summary(), tally.late, deliveries)
    return RunReport(happened, clock)

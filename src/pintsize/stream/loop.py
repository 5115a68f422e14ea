"""One run from block to block: health → convert → artifact → decision → the sinks' outboxes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import SinkError, SourceLost, UserError
from pintsize.stream.artifact import Artifact
from pintsize.stream.block import Block, Samples
from pintsize.stream.convert import Converter
from pintsize.stream.decision import Decision
from pintsize.stream.framing import Frame, Framing
from pintsize.stream.health import BREAKS, Health, monitor_of
from pintsize.stream.intake import Intake
from pintsize.stream.manifest import DTYPES
from pintsize.stream.overload import ModelledLoad, Pace, Rule, rule_for
from pintsize.stream.recording import Recorder
from pintsize.stream.settings import Decider, Listener, Settings, Told
from pintsize.stream.sinks.outbox import Outbox
from pintsize.stream.source import Source
from pintsize.stream.tally import Tally


class Loop:
    """The state of one run."""

    def __init__(
        self, source: Source, artifact: Artifact, decider: Decider, settings: Settings, recorder: Recorder | None,
        said: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.source, self.artifact, self.decider, self.settings = source, artifact, decider, settings
        self._listener = decider if isinstance(decider, Listener) else None
        self.recorder, self._said = recorder, said
        self.recorded = str(recorder.path) if recorder else None
        self.outboxes: list[Outbox] = []
        self.tally = Tally()
        self.intake = Intake(source) if settings.live else None
        self._converter = Converter(source.rate_hz, source.channels, source.full_scale, settings.conversion)
        window = settings.window_samples or _window(artifact, self._converter.channels)
        hop = settings.hop_samples or window
        self._framing = Framing(window, hop)
        self.deadline_s = settings.deadline_s or hop / self._converter.rate_hz
        self._monitor = monitor_of(source, settings.limits)
        self._load = ModelledLoad(settings.modelled_step_s) if settings.modelled_step_s else None
        self.rule: Rule = rule_for(source.lossless, artifact.manifest.stateful)
        self._pace = Pace(self.rule, settings.overload, self._behind_s)
        self._now_s = -math.inf  # the last time that the decisions were told
        self._unfit_until_s = -math.inf
        self._faults: tuple[str, ...] = ()
        self._origin: str | None = None

    def work(self) -> str:
        """Gives why it ended."""
        blocks = self.intake.blocks() if self.intake else self.source.blocks()
        try:
            for block in blocks:
                self._take(block)
        except SourceLost as error:
            return self._end_broken(error)
        except KeyboardInterrupt:
            self._end_clip()
            return "interrupted"
        self._end_clip()
        return "the source's end"

    def end_intake(self) -> None:
        if self.intake is not None:
            self.intake.close()

    def end_recording(self) -> None:
        self._record(lambda recorder: recorder.close())

    def _take(self, block: Block) -> None:
        self._record(lambda recorder: recorder.add(block))
        health = self._monitor.see(block)
        self.tally.saw(block, health)
        if self._origin is not None and block.origin != self._origin:
            self._end_clip()
            self._restart(None)
        elif health.reset:
            self._process(self._converter.finish())
            self._restart(health.reason or "samples are missing")
        if len(block.samples):
            self._origin = block.origin
        self._announce(health)
        if not health.usable:
            self._now_s = max(self._now_s, block.start_s)
            self._tell(self.decider.update(self._now_s, None))
            return
        if not BREAKS.issuperset(health.faults):  # after a mere break the samples are as good as any
            self._unfit_until_s = block.end_s
        self._process([block] if self._converter.changes_nothing else self._converter.push(block))

    def _process(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            for frame in self._framing.push(block):
                self._step(frame)

    def _step(self, frame: Frame) -> None:
        self._now_s = frame.end_s
        behind_s = self._behind_s(frame.end_s)
        admission = self._pace.admit(frame.end_s)
        self._tell(admission.notice)
        if admission.restart:
            self.tally.resets += 1
            self.artifact.reset()
            self._tell(self.decider.reset("steps were left out: overload"))
        if not admission.computed:
            self._leave_out(frame)
            return
        begun_s = time.perf_counter()
        fit = frame.start_s >= self._unfit_until_s
        outputs = self.artifact.output.dequantize(self.artifact.run(self._codes(frame.samples)))
        if self._listener is not None:
            self._listener.hear(frame, fit)
        self._tell(self.decider.update(frame.end_s, outputs if fit else None))
        took_s = time.perf_counter() - begun_s
        self.tally.computed(took_s, 0.0 if self._load else behind_s, self.deadline_s, fit)
        if self._load is not None:
            self.tally.modelled_late += behind_s + self._load.step_s > self.deadline_s
            self._load.computed(frame.end_s)

    def _leave_out(self, frame: Frame) -> None:
        if self.rule == "newest":
            self.tally.dropped_samples += len(frame.samples)
        else:
            self.tally.skipped_steps += 1

    def _behind_s(self, end_s: float) -> float:
        """In a replay nothing, unless a device is modelled. A live camera's old pictures were dropped before."""
        if self._load is not None:
            return self._load.behind_s(end_s)
        return self.intake.behind_s(end_s) if self.intake and self.source.lossless else 0.0

    def _codes(self, samples: Samples) -> NDArray[Any]:
        """Full scale of the samples is full scale to the model; codes on the model's own grid are taken as they are."""
        kind, ours, its = self.artifact.input, self._converter.full_scale, self.settings.full_scale
        if samples.dtype == DTYPES[kind.dtype] and kind.zero_point == 0 and kind.scale * ours == its:
            return samples
        return kind.quantize(samples / np.float32(ours / its))

    def _announce(self, health: Health) -> None:
        """Says what is wrong with the signal once, and once that nothing is any more."""
        if health.faults == self._faults:
            return
        self._faults = health.faults
        time_s = max(self._now_s, health.at_s)
        if health.ok:
            self._tell(Decision(time_s, "health", "ok"))
        else:
            self._tell(Decision(time_s, "health", None, reason=health.reason))

    def _restart(self, reason: str | None) -> None:
        """What comes next does not follow what was. reason: of a fault; None between clips."""
        self._framing.clear()
        self.artifact.reset()
        self._pace.restart()
        if self._load is not None:
            self._load.restart()
        self._now_s = self._unfit_until_s = -math.inf
        if reason is not None:
            self.tally.resets += 1
            self._tell(self.decider.reset(reason))

    @property
    def _told_s(self) -> float:
        """The last time of the signal; 0 where none came."""
        return self._now_s if math.isfinite(self._now_s) else 0.0

    def _end_clip(self) -> None:
        self._process(self._converter.finish())
        self._tell(self.decider.finish(self._told_s))

    def _end_broken(self, error: SourceLost) -> str:
        """What the source still gave was decided on; what was open is lost, with the reason."""
        self._process(self._converter.finish())
        self._tell(self.decider.reset(str(error)))
        self._tell(Decision(self._told_s, "health", None, reason=str(error)))
        self._said(str(error))
        return f"the source was lost: {error}"

    def _tell(self, told: Told) -> None:
        decisions = () if told is None else (told,) if isinstance(told, Decision) else told
        for decision in decisions:
            self.tally.told(decision)
            for outbox in self.outboxes:
                outbox.put(decision)

    def _record(self, act: Callable[[Recorder], None]) -> None:
        """A recording that cannot go on ends, and the run goes on."""
        if self.recorder is None:
            return
        try:
            act(self.recorder)
        except SinkError as error:
            self.recorder, self.recorded = None, str(error)
            self._said(str(error))


def _window(artifact: Artifact, channels: int) -> int:
    elements = artifact.input.elements
    if elements % channels:
        raise UserError(
            f"{artifact.manifest.name} takes {elements} numbers, the source has {channels} channels: choose "
            "channels by the conversion, or say window_samples"
        )
    return elements // channels

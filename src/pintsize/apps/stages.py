"""Models that run now and then behind the one that always runs: how often, how long they took, what they cost."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Generic, ParamSpec, TypeVar

from pintsize.stream.artifact import Artifact
from pintsize.stream.latency import Latencies, Latency
from pintsize.stream.manifest import Manifest
from pintsize.stream.report import Energy, RunReport, energy_of

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class Stage(Generic[Given, Answer]):
    """Calls a piece and counts. name: stands in the report; artifact: whose energy a call takes."""

    def __init__(self, name: str, artifact: Artifact, ask: Callable[Given, Answer]) -> None:
        self.name, self.artifact = name, artifact
        self._ask = ask
        self.times = Latencies()

    def __call__(self, *given: Given.args, **more: Given.kwargs) -> Answer:
        begun_s = time.perf_counter()
        answer = self._ask(*given, **more)
        self.times.add(time.perf_counter() - begun_s)
        return answer


@dataclass(frozen=True)
class StageRun:
    """runs: how often it was asked, the same on every replay."""

    name: str
    artifact: str
    runs: int
    energy: Energy


@dataclass(frozen=True)
class AppReport:
    """run: of the model that always runs and of the loop; stages: of those behind it, and how long they took here."""

    run: RunReport
    stages: tuple[StageRun, ...]
    times: tuple[Latency, ...]

    def as_json(self, wall_clock: bool = True) -> str:
        """wall_clock: False leaves out what differs from run to run."""
        content = json.loads(self.run.as_json(wall_clock))
        content["stages"] = [asdict(stage) for stage in self.stages]
        if wall_clock:
            content["wall_clock"]["stages"] = {
                stage.name: asdict(latency) for stage, latency in zip(self.stages, self.times, strict=True)
            }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def app_report(run: RunReport, stages: Sequence[Stage[..., object]]) -> AppReport:
    """The report of a run with what its stages did."""
    told = [
        StageRun(
            stage.name,
            stage.artifact.manifest.name,
            stage.times.count,
            _energy(stage.artifact.manifest, stage.times.count, run.run.signal_s),
        )
        for stage in stages
    ]
    return AppReport(run, tuple(told), tuple(stage.times.summary() for stage in stages))


def shipped_energy(manifest: Manifest) -> tuple[float | None, str]:
    """mJ of a run and the device that it is of, as the shipped figures have it."""
    figures = manifest.content.get("figures", {})
    mj, device = figures.get("energy_mj"), figures.get("energy_device")
    return (None, manifest.device) if mj is None or device is None else (float(mj), str(device))


def _energy(manifest: Manifest, runs: int, signal_s: float) -> Energy:
    mj_per_run, device = shipped_energy(manifest)
    return energy_of(mj_per_run, device, runs, signal_s)

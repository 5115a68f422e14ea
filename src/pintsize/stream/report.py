"""What a run did, as numbers. What depends on this computer's speed stands apart from what is the same on every run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pintsize.stream.latency import Latency
from pintsize.stream.sinks.outbox import Delivery


@dataclass(frozen=True)
class Energy:
    """Modelled: the model's steps alone, at full clock; without sensor, radio, sleep. None, and then `how` says why."""

    mj_per_step: float | None
    mj_per_hour: float | None
    how: str


@dataclass(frozen=True)
class Replayable:
    """The same on every run of the same signal; of a live run, whatever happened.

    ended: why it ended; signal_s: seconds of signal that came in; steps: that were computed; skipped_steps: left out
    by the overload rule; without_value: steps whose signal was not fit for a decision; resets: reason → how often
    state began anew; faults: kind → blocks with it; decisions: kind → how many.
    """

    source: str
    artifact: str
    device: str
    ended: str
    signal_s: float
    samples: int
    blocks: int
    dropped_samples: int
    steps: int
    skipped_steps: int
    without_value: int
    resets: int
    faults: Mapping[str, int]
    decisions: Mapping[str, int]
    overload_rule: str
    overload_from_s: tuple[float, ...]
    deadline_ms: float
    modelled_step_ms: float | None
    modelled_missed_deadlines: int | None
    energy: Energy
    recording: str | None


@dataclass(frozen=True)
class WallClock:
    """Measured on this computer.

    step: from a whole window to its decisions at the sinks' outboxes; behind: of a live source, how old the newest
    sample of a window was when its step began; missed_deadlines: steps that took longer than the deadline.
    """

    step: Latency
    behind: Latency
    missed_deadlines: int
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True)
class RunReport:
    """run: what is the same on every replay; wall_clock: what is not."""

    run: Replayable
    wall_clock: WallClock

    def as_json(self, wall_clock: bool = True) -> str:
        """wall_clock: False leaves out what differs from run to run."""
        content = {"run": asdict(self.run)} | ({"wall_clock": asdict(self.wall_clock)} if wall_clock else {})
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def energy_of(mj_per_step: float | None, device: str, steps: int, signal_s: float) -> Energy:
    """Of the steps that were computed, per hour of signal."""
    if mj_per_step is None:
        return Energy(None, None, f"not known: no current of {device} is in the artifact's manifest")
    if signal_s <= 0:
        return Energy(mj_per_step, None, "not known: no signal came")
    per_hour = mj_per_step * steps * 3600 / signal_s
    return Energy(
        mj_per_step, per_hour, f"estimated: energy of one step on {device} × steps per hour of signal"
    )

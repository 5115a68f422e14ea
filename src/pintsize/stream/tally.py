"""What is counted while a run goes on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pintsize.stream.block import Block
from pintsize.stream.decision import Decision
from pintsize.stream.health import Health
from pintsize.stream.latency import Latencies


@dataclass
class Tally:
    """The counts of one run; `report.py` says what each is."""

    signal_s: float = 0.0
    samples: int = 0
    blocks: int = 0
    steps: int = 0
    skipped_steps: int = 0
    without_value: int = 0
    resets: int = 0
    dropped_samples: int = 0
    late: int = 0
    modelled_late: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    overload_from_s: list[float] = field(default_factory=list)
    step_times: Latencies = field(default_factory=Latencies)
    behind: Latencies = field(default_factory=Latencies)

    def saw(self, block: Block, health: Health) -> None:
        self.blocks += 1
        self.samples += len(block.samples)
        self.signal_s += block.duration_s
        self.faults.update(health.faults)

    def told(self, decision: Decision) -> None:
        self.decisions[decision.kind] += 1
        if decision.kind == "overload" and decision.value != 1.0:
            self.overload_from_s.append(decision.time_s)

    def computed(self, took_s: float, behind_s: float, deadline_s: float, has_value: bool) -> None:
        """A step that took that long, begun that long after its window was whole."""
        self.steps += 1
        self.without_value += not has_value
        self.late += behind_s + took_s > deadline_s
        self.step_times.add(took_s)
        self.behind.add(behind_s)

"""What a run of an application tells in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from pintsize.apps.application import Said
    from pintsize.apps.stages import AppReport
    from pintsize.stream.latency import Latency
    from pintsize.stream.report import Energy

console = Console()


def say(line: str) -> None:
    """A line that is no result."""
    console.print(escape(line), style="dim", soft_wrap=True)


@contextmanager
def working(what: str, keep: bool = False) -> Iterator[Said]:
    """Shows that something is being done; keep: what it says stays on the screen."""
    with console.status(what) as status:

        def said(line: str) -> None:
            if keep:
                say(line)
            status.update(escape(line))

        yield said


def table(first: str, second: str, rows: Sequence[tuple[str, str]]) -> Table:
    """Two columns, with their heads where these have words."""
    drawn = Table(first, second, show_header=bool(first))
    for name, value in rows:
        drawn.add_row(escape(name), escape(value))
    return drawn


def summary(told: AppReport) -> Table:
    """What a run was and did."""
    run, clock = told.run.run, told.run.wall_clock
    rows = [
        ("signal", f"{run.signal_s:.1f} s, {run.steps} steps, ended: {run.ended}"),
        ("decisions", ", ".join(f"{count} {kind}" for kind, count in run.decisions.items()) or "none"),
        ("faults", ", ".join(f"{count} {kind}" for kind, count in run.faults.items()) or "none"),
        ("dropped samples", str(run.dropped_samples)),
        ("a step, measured", _latency(clock.step, run.deadline_ms, clock.missed_deadlines)),
        ("energy", _energy(run.energy)),
    ]
    for stage, latency in zip(told.stages, told.times, strict=True):
        if stage.runs:
            rows.append((stage.name, f"{stage.runs} times, {_latency(latency)}, {_energy(stage.energy)}"))
    return table("", "", rows)


def _latency(latency: Latency, deadline_ms: float | None = None, missed: int = 0) -> str:
    if not latency.count:
        return "none"
    told = f"p50 {latency.p50_ms:.2f} ms, p99 {latency.p99_ms:.2f} ms"
    return told if deadline_ms is None else f"{told}, {missed} missed the deadline of {deadline_ms:g} ms"


def _energy(energy: Energy) -> str:
    return (
        energy.how if energy.mj_per_hour is None else f"{energy.mj_per_hour:,.0f} mJ an hour ({energy.how})"
    )

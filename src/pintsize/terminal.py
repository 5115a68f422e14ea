"""What the command line shows: progress, tables of devices, the doctor's words."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from pintsize.devices import Device
from pintsize.progress import Watcher

if TYPE_CHECKING:  # at run time these would bring in torch, which `pintsize devices` can do without
    from pintsize.benching import Bench
    from pintsize.compiling import Compiled
    from pintsize.compress.search import Trial
    from pintsize.converting import Conversion
    from pintsize.doctor import Diagnosis, Extent
    from pintsize.measure import Footprint
    from pintsize.passes.plan_memory import MemoryPlan
    from pintsize.passes.streaming import Streamed
    from pintsize.verify import CoreCheck, Skipped

STATUS_COLOURS = {
    "fits": "green",
    "chosen": "bold green",
    "too large": "dim",
    "dropped": "yellow",
    "not trained": "dim",
}


class LiveWatcher(Watcher):
    """Draws progress while work goes on; a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=console, transient=True,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> LiveWatcher:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
        if kind is KeyboardInterrupt:
            self._console.print("interrupted; the same command goes on where this one stopped")

    def stage(self, title: str) -> None:
        self._console.print(f"[bold]{escape(title)}[/]")
        for task in self._tasks.values():
            self._progress.remove_task(task)
        self._tasks = {}

    def step(self, what: str, done: int, total: int, loss: float | None = None) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(escape(what), total=total)
        told = escape(what) if loss is None else f"{escape(what)} (loss {loss:.4f})"
        self._progress.update(
            self._tasks[what], description=told, completed=done, total=total, visible=done < total
        )

    def trial(self, trial: Trial) -> None:
        found = "" if trial.accuracy is None else f", accuracy {trial.accuracy:.2%} on validation"
        found += " after a short training" if 0 < trial.effort < 1 and not trial.reason else ""
        reason = f" ({escape(trial.reason)})" if trial.reason else ""
        self._console.print(
            f"  {trial.candidate.name}: {trial.size.flash_bytes:,} B flash, {trial.size.ram_bytes:,} B RAM{found}: "
            f"[{STATUS_COLOURS[trial.status]}]{trial.status}[/]{reason}",
            highlight=False,
        )

    def core(self, check: CoreCheck | Skipped) -> None:
        self._console.print(core_line(check), highlight=False)

    def note(self, text: str) -> None:
        self._console.print(f"[yellow]note:[/] {escape(text)}", highlight=False)


def core_line(check: CoreCheck | Skipped) -> str:
    """One line about a core, with rich's markup."""
    from pintsize.verify import Skipped

    if isinstance(check, Skipped):
        return f"  {check.core}: [yellow]not run[/] ({escape(check.reason)})"
    counted = "" if check.instructions is None else f", {check.instructions:,} instructions"
    verdict = "[green]all equal[/]" if check.mismatches == 0 else f"[red]{check.mismatches} differ[/]"
    return f"  {check.core}: {check.inputs} inputs{counted}, {verdict}"


def devices_table(devices: Iterable[Device]) -> RenderableType:
    """All devices, a row each."""
    rows = Table("name", "core", "clock", "flash", "RAM", "µA/MHz", "emulated", "device")
    for column in rows.columns[:7]:
        column.no_wrap = True
    for column in rows.columns[2:6]:
        column.justify = "right"
    for d in devices:
        current = "–" if d.active_current_ua_per_mhz is None else f"{d.active_current_ua_per_mhz:g}"
        rows.add_row(
            d.name, d.core, f"{d.clock_hz / 1e6:g} MHz", _size(d.flash_bytes), _size(d.ram_bytes), current,
            "yes" if d.emulated else "no", d.title,
        )  # fmt: skip
    return rows


def device_details(device: Device) -> RenderableType:
    """Everything about one device."""
    rows = Table(show_header=False, box=None)
    current = device.active_current_ua_per_mhz
    for name, value in (
        ("device", device.title), ("core", f"{device.core} {' '.join(device.extensions)}"),
        ("clock", f"{device.clock_hz / 1e6:g} MHz"), ("flash", _size(device.flash_bytes)),
        ("RAM", _size(device.ram_bytes)),
        ("current", "not known" if current is None else f"{current:g} µA/MHz at {device.supply_volt:g} V"),
        ("source", device.current_source), ("datasheet", device.datasheet), ("boards", ", ".join(device.boards)),
        ("emulated", device.not_emulated or "yes"), ("note", device.note),
    ):  # fmt: skip
        rows.add_row(f"[bold]{name}[/]", escape(value))
    return rows


def _size(count: int) -> str:
    return f"{count / 1048576:.4g} MB" if count >= 1048576 else f"{count / 1024:g} kB"


def diagnosis_table(found: Diagnosis) -> RenderableType:
    """The doctor's findings, in words and numbers."""
    rows = Table("", "at least", "at most")
    rows.columns[1].justify = rows.columns[2].justify = "right"
    for name, extent, unit in (
        ("MACs", found.macs, ""),
        ("weights in flash", found.weight_bytes, " B"),
        ("RAM, stack apart", found.ram_bytes, " B"),
    ):
        rows.add_row(name, *_bounds(extent, unit))
    lines = [f"[red]problem:[/] {escape(p)}" for p in found.problems]
    lines += [f"[yellow]note:[/] {escape(r)}" for r in found.remarks]
    lines.append("[green]plausible: it can be tried[/]" if found.plausible else "[red]not plausible[/]")
    head = (
        f"{found.parameters:,} parameters for {escape(found.device.title)}; all numbers counted, code apart"
    )
    return Group(head, rows, *lines)


def _bounds(extent: Extent, unit: str) -> tuple[str, str]:
    return f"{extent.least:,}{unit}", f"{extent.most:,}{unit}"


def compiled_table(done: Compiled) -> RenderableType:
    """What a compiled program takes."""
    head = f"{escape(done.graph.name)} for {escape(done.device.title)}, kernels: {done.program.isa}"
    return Group(head, _footprint_table(done.footprint))


def stream_lines(stream: Streamed, rate_hz: float | None) -> str:
    """What running in steps saves, counted; rate_hz: of the input's columns, where it is known."""
    saving = stream.window_macs / max(stream.step_macs, 1)
    lines = [
        f"a step takes {stream.hop} of the window's {stream.window} columns and keeps {stream.graph.state_bytes:,} B: "
        f"{stream.step_macs:,} multiply-accumulates where the window run anew takes {stream.window_macs:,}, "
        f"{saving:.1f} times as many (counted)"
    ]
    if rate_hz:
        anew, steps = stream.macs_per_second(rate_hz)
        lines.append(f"a second of signal at {rate_hz:g} Hz: {steps:,.0f} where it was {anew:,.0f} (counted)")
    if stream.delay:
        lines.append(f"it answers {stream.delay} later than it hears: padding looks ahead")
    return "\n".join(lines)


def bench_tables(found: Bench) -> RenderableType:
    """Instructions layer by layer, the whole, and the memory plan."""
    rows = Table("layer", "op", "output", "MACs", "constants", "instructions", "per MAC")
    for column in rows.columns[3:]:
        column.justify = "right"
    for layer in found.layers:
        n = layer.instructions
        each = "" if n is None or not layer.macs else f"{n / layer.macs:.2f}"
        macs, constants = (f"{v:,}" if v else "" for v in (layer.macs, layer.weight_bytes))
        counted = "–" if n is None else f"{n:,}"
        shape = "×".join(map(str, layer.output_shape))
        rows.add_row(escape(layer.name), layer.op, shape, macs, constants, counted, each)
    place = f"{escape(found.device.title)} ({found.device.core})"
    head = f"{escape(found.graph.name)} on {place}, kernels: {found.program.isa}"
    plan = _plan_table(found.program.plan, len(found.layers))
    return Group(head, rows, _footprint_table(found.footprint), plan)


def _footprint_table(taken: Footprint) -> RenderableType:
    rows = Table("", "", "", show_header=False, box=None)
    rows.columns[1].justify = "right"
    linked = "measured" if taken.linked else "counted, without code and stack"
    stack = "" if taken.stack_bytes is None else f", {taken.stack_bytes:,} B of stack in it"
    for name, value, unit, how in (
        ("flash", taken.flash_bytes, "B", f"{linked}; {taken.weight_bytes:,} B of constants in it"),
        ("RAM", taken.ram_bytes, "B", f"{linked}; {taken.arena_bytes:,} B of arena{stack}"),
        ("instructions", taken.instructions, "", "counted"),
        ("cycles", taken.cycles, "", f"estimated; {taken.latency_error}"),
        ("time", taken.latency_ms, "ms", "estimated, at full clock"),
        ("energy", taken.energy_mj, "mJ", "estimated, from the datasheet's current"),
    ):
        shown = (
            "–"
            if value is None
            else f"{value:,.4g}"
            if isinstance(value, float) and value < 1e4
            else f"{value:,.0f}"
        )
        rows.add_row(
            f"[bold]{name}[/]", f"{shown} {unit}".strip(), how if value is not None else "not known here"
        )
    return rows


_PLAN_WIDTH = 48


def _plan_table(plan: MemoryPlan, steps: int) -> RenderableType:
    """The arena from its start: a bar per buffer over the layers in which it is alive."""
    rows = Table("offset", "bytes", "buffer", "alive, first layer to last")
    rows.columns[0].justify = rows.columns[1].justify = "right"
    for b in sorted(plan.buffers, key=lambda b: (plan.placement.offsets[b.name], b.first)):
        start = b.first * _PLAN_WIDTH // max(steps, 1)
        end = max(start + 1, (b.last + 1) * _PLAN_WIDTH // max(steps, 1))
        bar = "·" * start + "█" * (end - start) + "·" * (_PLAN_WIDTH - end)
        rows.add_row(f"{plan.placement.offsets[b.name]:,}", f"{b.bytes:,}", escape(b.name), bar)
    proof = "proven smallest" if plan.placement.optimal else f"at least {plan.placement.lower_bound:,} B"
    return Group(f"arena: {plan.arena_bytes:,} B ({proof} for this order of layers)", rows)


def conversion_lines(done: Conversion) -> RenderableType:
    """What was written, and how the runtimes compute it."""
    lines = [f"{escape(str(done.path))}: {done.bytes:,} B"]
    for found in done.agreements:
        if found.equal:
            lines.append(f"  {found.runtime}: {found.inputs} inputs, [green]all equal[/]")
        else:
            differ = f"{found.rate:.2%} of the outputs differ, by {found.largest:g} at most"
            lines.append(
                f"  {found.runtime}: {found.inputs} inputs, {differ}; same answer for {found.same_answer:.1%}"
            )
    lines += [f"  [yellow]not run[/]: {name} is not installed" for name in done.missing]
    return Group(*lines)

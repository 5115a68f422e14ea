"""Before any training: will it fit, which op lacks a kernel, what RAM at least and at most."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn
from torch.export import ExportedProgram

from pintsize import devices
from pintsize.budget import Budget
from pintsize.compress.prune import Prune
from pintsize.compress.quantize import Bits, Quantize
from pintsize.compress.search import BITS, WIDTHS
from pintsize.devices import Device
from pintsize.graph import Graph
from pintsize.passes.simplify import fold, simplify
from pintsize.read.torch_export import read
from pintsize.write.c import CProgram, write
from pintsize.write.c.calls import CALLS, isa_of


@dataclass(frozen=True)
class Extent:
    """A quantity of the narrowest model that the search would try, and of the model as it is at 8 bits."""

    least: int
    most: int


@dataclass(frozen=True)
class Diagnosis:
    """What can be known before training. All numbers are counted on programs that are written but not linked.

    missing: ops without a kernel; weights and ram (arena, input and output buffers) in bytes.
    problems: why it cannot work, in words; remarks: what is worth knowing.
    """

    device: Device
    budget: Budget
    missing: tuple[str, ...]
    parameters: int
    macs: Extent
    weight_bytes: Extent
    ram_bytes: Extent
    problems: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def plausible(self) -> bool:
        return not self.problems


def diagnose(
    model: nn.Module | ExportedProgram | str | Path,
    device: str | Device,
    budget: Budget | None = None,
    sample_shape: tuple[int, ...] | None = None,
) -> Diagnosis:
    """Looks at a model without data. sample_shape: of one input without the batch, channels first.

    Raises ModelError or UnsupportedOp for a model that cannot be read, DeviceError for an unknown device.
    """
    target, allowed = devices.device(device), budget or Budget()
    graph = simplify(read(model, sample_shape=sample_shape).graph)
    missing = tuple(sorted({n.op.name for n in fold(graph).nodes if n.op.name not in CALLS}))
    narrow = Prune(min(WIDTHS), alignment=target.channel_alignment, criterion="l2")(graph)
    least, most = _program(narrow, min(BITS), target), _program(graph, 8, target)
    weights = Extent(sum(least.constant_bytes), sum(most.constant_bytes))
    ram = Extent(*(p.plan.arena_bytes + p.io_bytes for p in (least, most)))
    return Diagnosis(
        target, allowed, missing, sum(graph.type(c).elements for n in graph.nodes for c in graph.constants(n)),
        Extent(narrow.macs, graph.macs), weights, ram, tuple(_problems(missing, weights, ram, allowed, target)),
        tuple(_remarks(weights, ram, allowed, target)),
    )  # fmt: skip


def _program(graph: Graph, bits: Bits, device: Device) -> CProgram:
    """The program as it would be written, with ranges that nothing was trained or calibrated for."""
    folded = fold(graph)
    samples = np.zeros((1, *folded.type(folded.inputs[0]).shape), np.float32)
    how = Quantize(bits, calibration="min_max", equalize_layers=False, correct_biases=False)
    return write(how(folded, samples), isa=isa_of(device.core))


def _problems(
    missing: tuple[str, ...], weights: Extent, ram: Extent, budget: Budget, device: Device
) -> list[str]:
    problems = [f"no kernel for {op}" for op in missing]
    for name, extent, limit, source in (
        ("flash", weights, budget.flash_bytes, "the budget allows"),
        ("flash", weights, device.flash_bytes, f"{device.title} has"),
        ("RAM", ram, budget.ram_bytes, "the budget allows"),
        ("RAM", ram, device.ram_bytes, f"{device.title} has"),
    ):
        if limit is not None and extent.least > limit:
            problems.append(
                f"{name}: even the narrowest model needs {extent.least:,} B; {source} {limit:,} B"
            )
    return problems


def _remarks(weights: Extent, ram: Extent, budget: Budget, device: Device) -> list[str]:
    remarks: list[str] = []
    flash = min(budget.flash_bytes or device.flash_bytes, device.flash_bytes)
    if weights.most > flash:
        remarks.append(
            f"as it is, at 8 bits, its constants alone take {weights.most:,} B of flash; {flash:,} B are allowed: "
            "it must shrink"
        )
    arena = min(budget.ram_bytes or device.ram_bytes, device.ram_bytes)
    if ram.most > arena:
        remarks.append(
            f"as it is, it needs {ram.most:,} B of RAM; {arena:,} B are allowed: it must get narrower"
        )
    if device.not_emulated:
        remarks.append(device.not_emulated)
    if budget.energy_mj is not None and device.active_current_ua_per_mhz is None:
        remarks.append(f"the energy budget cannot be checked: no confirmed current for {device.title}")
    return remarks

"""Puts what was found into a Report, and a Report into files."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from pintsize.budget import Budget
from pintsize.compress.search import Outcome, Trial
from pintsize.computers import computer_files
from pintsize.data import Splits
from pintsize.devices import Device
from pintsize.folder import MARKER
from pintsize.graph import BITS, Graph
from pintsize.manifest import golden_file, manifest
from pintsize.measure import Footprint
from pintsize.report.page import html
from pintsize.report.report import Report
from pintsize.verify import CoreCheck, Skipped
from pintsize.version import VERSION
from pintsize.write.c import CProgram
from pintsize.write.saved import graph_files


@dataclass(frozen=True)
class Evidence:
    """The written program, its golden vectors (input codes, output codes), and what was seen of it."""

    program: CProgram
    golden: tuple[np.ndarray, np.ndarray]
    checks: list[CoreCheck]
    skipped: list[Skipped]
    footprint: Footprint


@dataclass(frozen=True)
class Provenance:
    """Where it came from: names as the user gave them, and hashes of what was in them."""

    command: str = "pintsize.shrink"
    model: str = "a model in memory"
    data: str = "data in memory"
    model_sha256: str = ""
    data_sha256: str = ""

    def with_hashes(self, graph: Graph, splits: Splits) -> Provenance:
        """The same with the hashes of the Graph that was read and of the arrays of all splits."""
        parts = (splits.train, splits.validation, splits.test)
        arrays = [a for p in parts for a in (p.x, p.y) if a is not None]
        model = hashlib.sha256(b"".join(graph_files(graph).values())).hexdigest()
        data = hashlib.sha256()
        for array in arrays:
            data.update(np.ascontiguousarray(array).tobytes())
        return replace(self, model_sha256=model, data_sha256=data.hexdigest())

    def fingerprint(self, *settings: object) -> str:
        """Names a run: the same inputs and settings give the same one."""
        text = json.dumps([self.model_sha256, self.data_sha256, VERSION, *map(str, settings)])
        return hashlib.sha256(text.encode()).hexdigest()


def assemble(
    graph: Graph, labels: tuple[str, ...], outcome: Outcome, evidence: Evidence, device: Device, budget: Budget,
    provenance: Provenance, seed: int, accuracies: list[dict[str, Any]], refund: Mapping[str, Any] | None = None,
) -> Report:  # fmt: skip
    """The Report of a finished run: see report/schema.py for every key."""
    figures = _figures(graph, evidence, budget, accuracies)
    data = {
        "name": graph.name,
        "pintsize_version": VERSION,
        "created_by": provenance.command,
        "seed": seed,
        "device": {k: getattr(device, k) for k in
                   ("name", "title", "core", "clock_hz", "flash_bytes", "ram_bytes", "datasheet")},
        "budget": asdict(budget),
        "met": all(f["met"] is not False for f in figures),
        "figures": figures,
        "accuracy": accuracies,
        "candidates": [_candidate(t) for t in outcome.trials],
        "refund": refund or {"steps": [], "undone": []},
        "front": [],
        "layers": _layers(graph, evidence),
        "memory": _memory(graph, evidence.program),
        "verification": [{k: getattr(c, k) for k in
                          ("core", "inputs", "mismatches", "instructions", "flash_bytes", "stack_bytes", "by")}
                         for c in evidence.checks],
        "provenance": {
            "model": provenance.model, "model_sha256": provenance.model_sha256, "data": provenance.data,
            "data_sha256": provenance.data_sha256, "python": platform.python_version(), "torch": _version("torch"),
            "numpy": _version("numpy"), "compiler": f"ziglang {_version('ziglang')}",
        },
    }  # fmt: skip
    return Report(data, graph, labels, evidence.program.files, evidence.golden)


def on_front(report: Report, members: Sequence[Report]) -> Report:
    """The report with the models of a whole trade-off, in the order given; each has a folder below `front`."""
    rows = [_member(member, number) for number, member in enumerate(members, 1)]
    return replace(report, data={**report.data, "front": rows}, front=tuple(members))


def _member(report: Report, number: int) -> dict[str, Any]:
    chosen = next(c for c in report.data["candidates"] if c["status"] == "chosen")
    names = ("flash_bytes", "ram_bytes", "weight_bytes", "instructions", "latency_ms", "energy_mj")
    return {
        "name": chosen["name"],
        "folder": f"front/{number:02d}-{report.figure('flash_bytes')}B",
        **{name: report.figure(name) for name in names},
        "accuracy": {row["split"]: row["integers"] for row in report.data["accuracy"]},
        "cores": len(report.data["verification"]),
        "mismatches": report.mismatches,
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _figures(
    graph: Graph, evidence: Evidence, budget: Budget, accuracies: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    taken = evidence.footprint
    kind = "measured" if taken.linked else "counted"
    flash = (
        "sections of the linked program: code, constants, start-up"
        if taken.linked
        else "constants; code apart"
    )
    ram = (
        "arena, input and output buffers as linked, and stack"
        if taken.stack_bytes
        else "arena, input and output buffers"
    )
    latency = f"cycle table of the core at full clock; {taken.latency_error}"
    validation = accuracies[0]
    drop = validation["teacher"] - validation["integers"]
    energy = "those cycles times the datasheet's current"
    lost = "float teacher minus integers, on the validation split"
    rows: Sequence[tuple[str, float | None, str, str, str, float | None]] = (
        ("flash_bytes", taken.flash_bytes, "B", kind, flash, budget.flash_bytes),
        ("ram_bytes", taken.ram_bytes, "B", kind, ram, budget.ram_bytes),
        ("latency_ms", taken.latency_ms, "ms", "estimated", latency, budget.latency_ms),
        ("energy_mj", taken.energy_mj, "mJ", "estimated", energy, budget.energy_mj),
        ("drop", drop, "fraction", "measured", lost, budget.max_drop),
        ("weight_bytes", taken.weight_bytes, "B", "counted", "all constants: weights, biases, factors, tables", None),
        ("arena_bytes", taken.arena_bytes, "B", "measured", "the planned arena, equal to the linked one", None),
        ("stack_bytes", taken.stack_bytes, "B", "measured", "high-water mark of one run on the emulated core", None),
        ("instructions", taken.instructions, "", "counted", "one run on the emulated core", None),
        ("macs", graph.macs, "", "counted", "multiply-accumulates of one run", None),
    )  # fmt: skip
    return [_figure(*row) for row in rows]


def _figure(
    name: str, value: float | None, unit: str, kind: str, how: str, limit: float | None
) -> dict[str, Any]:
    met = None if limit is None or value is None else bool(value <= limit + 1e-12)
    return {"name": name, "value": value, "unit": unit, "kind": kind, "how": how, "limit": limit, "met": met}


def _candidate(trial: Trial) -> dict[str, Any]:
    return {
        "name": trial.candidate.name, "width": trial.candidate.width, "bits": trial.candidate.bits,
        "flash_bytes": trial.size.flash_bytes, "ram_bytes": trial.size.ram_bytes,
        "weight_bytes": trial.size.weight_bytes, "validation_accuracy": trial.accuracy, "status": trial.status,
        "reason": trial.reason,
    }  # fmt: skip


def _layers(graph: Graph, evidence: Evidence) -> list[dict[str, Any]]:
    program, counts = evidence.program, evidence.footprint.by_layer
    rows: list[dict[str, Any]] = []
    for index, node in enumerate(graph.nodes):
        weights = graph.constants(node)
        function = program.layers[index]
        rows.append({
            "index": index, "name": node.name, "op": node.op.name, "source": node.source,
            "input_shape": list(graph.type(node.inputs[0]).shape), "output_shape": list(graph.type(node.output).shape),
            "macs": graph.cost(node).macs, "weight_bytes": program.constant_bytes[index],
            "bits": BITS[graph.type(weights[0]).dtype] if weights else None,
            "instructions": counts.get(function, 0) if counts else None,
        })  # fmt: skip
    return rows


def _memory(graph: Graph, program: CProgram) -> dict[str, Any]:
    placement = program.plan.placement
    return {
        "arena_bytes": placement.arena_bytes,
        "lower_bound_bytes": placement.lower_bound,
        "optimal": placement.optimal,
        "buffers": [
            {
                "name": b.name,
                "bytes": b.bytes,
                "offset": placement.offsets[b.name],
                "first": b.first,
                "last": b.last,
            }
            for b in program.plan.buffers
        ],
        "steps": [n.name for n in graph.nodes],
    }


def files_of(report: Report, more: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """Everything that a run leaves in its folder: name → content. more: files that the manifest leaves out."""
    files = {name: text.encode() for name, text in report.program.items()}
    files |= graph_files(report.graph)
    files |= computer_files(report.graph, report.data["device"]["core"], report.golden)
    for row, member in zip(report.data["front"], report.front, strict=True):
        files |= {f"{row['folder']}/{name}": content for name, content in files_of(member).items()}
    files["golden.npz"] = golden_file(*report.golden)
    files["report.json"] = (json.dumps(report.data, indent=1) + "\n").encode()
    files["report.html"] = html(report.data).encode()
    files[MARKER] = manifest(
        report.graph, report.data["device"], {f["name"]: f["value"] for f in report.data["figures"]}, files,
        golden_vectors=len(report.golden[0]), accuracy=report.data["accuracy"],
        provenance=report.data["provenance"],
    )  # fmt: skip
    return dict(sorted({**files, **(more or {})}.items()))

"""The main job: read → plan → prune, distil, quantize → write → verify → report.

The module is not called shrink because `pintsize.shrink` is the function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram

from pintsize import devices
from pintsize.assemble import Evidence, Provenance, assemble, files_of
from pintsize.budget import Budget
from pintsize.checkpoints import Checkpoints
from pintsize.compress.quantize import Bits, freeze
from pintsize.compress.recipe import EFFORTS, Recipe, with_softmax, without_softmax
from pintsize.compress.search import Candidate, Judgement, Outcome, Size, candidates, search
from pintsize.compress.train import Goal, prepare
from pintsize.data import Splits, load, splits_of
from pintsize.devices import Device
from pintsize.errors import BudgetNotMet, DataError, UserError
from pintsize.folder import check_writable, write_folder
from pintsize.graph import Graph, Node
from pintsize.measure import footprint
from pintsize.module import run_integers
from pintsize.passes.simplify import fold, simplify
from pintsize.progress import Watcher
from pintsize.read.layout import Layout
from pintsize.read.model_file import is_model_file, read_file
from pintsize.read.torch_export import Reading, read
from pintsize.report.report import Report
from pintsize.together import Stopped, one_thread_each, together
from pintsize.verify import (
    CORES,
    accuracy,
    difference_error,
    float_outputs,
    input_codes,
    integer_outputs,
    verify,
)
from pintsize.write.c import CProgram, write
from pintsize.write.c.calls import isa_of

EffortName = Literal["low", "medium", "high"]
GOLDEN_VECTORS = 32
#: of them kept as C for the self-test on the chip
SELF_TEST_VECTORS = 4
HOST_VECTORS = 1000
#: axes of a sample (without the batch) that a layout is for
RANKS = {Layout.IMAGE: (3,), Layout.SIGNAL: (2,), Layout.PLAIN: range(9)}


@dataclass(frozen=True)
class Prepared:
    """The model and data, ready for the search. x is channels last."""

    graph: Graph
    softmax: Node | None
    splits: Splits
    goal: Goal
    labels: tuple[str, ...]


def shrink(
    model: nn.Module | ExportedProgram | str | Path,
    train: Any,
    test: Any = None,
    *,
    device: str | Device,
    budget: Budget | None = None,
    out: str | Path | None = None,
    effort: EffortName = "medium",
    goal: Goal | None = None,
    layer_bits: Mapping[str, Bits] | None = None,
    seed: int = 0,
    cores: tuple[str, ...] = CORES,
    watcher: Watcher | None = None,
    provenance: Provenance | None = None,
) -> Report:
    """Makes the smallest model that keeps the accuracy within the budget, as a C program proven on emulated cores.

    Args:
        model: an nn.Module, a torch.export program, or the path of a .pt2 archive, a .tflite or a .onnx file of real
            numbers.
        train: whatever `pintsize.data.load` reads: arrays (x, y), a torch Dataset, a path to .npz or a folder.
            x as the model takes it (channels first); y may be absent.
        test: data to report on; without it, a part of `train` is held back.
        device: a name of `pintsize.DEVICES`, or a Device.
        budget: what is allowed; what it leaves open is minimised.
        out: a folder for the results; what is not finished lies in `<out>.partial`, and the same call goes on there.
        effort: how long to search. goal: "classes" or "values" (regression); guessed when not given.
        layer_bits: layer name → bits of its weights (8, 4 or 2), whatever the search takes for the others.
        cores: which cores to prove the program on.

    Raises UserError (see errors.py) for what the caller can mend; BudgetNotMet when no candidate fits;
    VerificationError when a core computes another integer than the Graph.
    """
    watch = watcher or Watcher()
    target, allowed = devices.device(device), budget or Budget()
    if effort not in EFFORTS:
        raise UserError(f"no effort is called {effort!r}; there are {', '.join(EFFORTS)}")
    if goal not in (None, "classes", "values"):
        raise UserError(f"no goal is called {goal!r}; there are classes and values")
    if out is not None:
        check_writable(Path(out))
    torch.manual_seed(seed)
    watch.stage("Reading the model and the data")
    ready = prepare_inputs(model, train, test, goal, seed)
    source = provenance or Provenance()
    source = source.with_hashes(ready.graph, ready.splits)
    checkpoints = Checkpoints.beside(
        out, source.fingerprint(target.name, effort, seed, sorted((layer_bits or {}).items()))
    )

    watch.stage("Asking the teacher")
    part = ready.splits.train
    y = part.y if ready.goal == "classes" else None
    lesson = prepare(fold(ready.graph), part.x, y, ready.goal, seed=seed)
    recipe = Recipe(
        ready.graph, lesson, EFFORTS[effort], target.channel_alignment, layer_bits=layer_bits or {}, seed=seed
    )
    workshop = Workshop(ready, recipe, target, checkpoints, watch)

    watch.stage(f"Searching for the smallest model within {allowed}")
    space = (*candidates(EFFORTS[effort].widths), *recipe.joint_candidates())
    with one_thread_each():
        outcome = search(
            space, workshop.sizes, workshop.judge, allowed, workshop.teacher_accuracy, watch.trial
        )
    chosen = _chosen(outcome, allowed)

    watch.stage("Writing and proving the program")
    graph = workshop.integer_graph(chosen)
    evidence = prove(graph, ready, target, cores, watch)
    report = assemble(
        graph, ready.labels, outcome, evidence, target, allowed, source, seed, _accuracies(ready, graph)
    )
    note_on_test(report, allowed, watch)
    if out is not None:
        write_folder(files_of(report), Path(out))
        checkpoints.clear()
    return report


def prepare_inputs(
    model: nn.Module | ExportedProgram | str | Path, train: Any, test: Any, goal: Goal | None, seed: int
) -> Prepared:
    """Reads model and data and makes them fit each other. Raises ModelError or DataError."""
    splits = load(train, seed=seed) if test is None else splits_of(train, test, seed=seed)
    reading = _read(model, splits.sample_shape)
    graph, softmax = without_softmax(simplify(reading.graph))
    arranged = Splits(
        *(replace(part, x=reading.arrange(part.x)) for part in (splits.train, splits.validation, splits.test))
    )
    outputs = graph.type(graph.outputs[0]).elements
    guessed = goal or _goal(graph, splits)
    if guessed == "classes":
        _check_labels(splits, outputs)
    labels = splits.labels or tuple(str(i) for i in range(outputs))
    return Prepared(replace(graph, labels=labels[:outputs]), softmax, arranged, guessed, labels)


def _read(model: nn.Module | ExportedProgram | str | Path, sample_shape: tuple[int, ...]) -> Reading:
    if not isinstance(model, str | Path) or not is_model_file(Path(model)):
        return read(model, sample_shape=sample_shape, name=_name(model))
    reading = read_file(Path(model), sample_shape)
    kind = reading.graph.type(reading.graph.inputs[0])
    if kind.is_quantized:
        raise UserError(f"{model} is integers already: pintsize compile writes the program for a device")
    if (
        len(sample_shape) not in RANKS[reading.input_layout]
        or reading.input_layout.graph_shape(sample_shape) != kind.shape
    ):
        raise DataError(f"the data's samples are {sample_shape}; {model} takes {kind.shape}, channels last")
    return reading


def _name(model: nn.Module | ExportedProgram | str | Path) -> str:
    if isinstance(model, nn.Module):
        return type(model).__name__
    return "model" if isinstance(model, ExportedProgram) else Path(model).stem


def _goal(graph: Graph, splits: Splits) -> Goal:
    """Without labels, outputs as many as the inputs are values to rebuild, not classes."""
    inputs, outputs = (graph.type(n).elements for n in (graph.inputs[0], graph.outputs[0]))
    return "values" if splits.train.y is None and outputs in (1, inputs) else "classes"


def _check_labels(splits: Splits, outputs: int) -> None:
    for part in (splits.train, splits.validation, splits.test):
        if part.y is not None and len(part.y) and not 0 <= int(part.y.min()) <= int(part.y.max()) < outputs:
            raise DataError(
                f"labels run from {part.y.min()} to {part.y.max()}, but the model has {outputs} outputs"
            )


@dataclass(frozen=True)
class Workshop:
    """Makes, measures and judges candidates; what is done is kept in the checkpoints."""

    ready: Prepared
    recipe: Recipe
    device: Device
    checkpoints: Checkpoints
    watch: Watcher
    stop: Event = field(default_factory=Event)

    @property
    def teacher_accuracy(self) -> float:
        """On the validation split."""
        part = self.ready.splits.validation
        teacher = float_outputs(self.ready.graph, part.x)
        return accuracy(teacher, part.y, teacher, self.ready.goal)

    def sizes(self, space: Sequence[Candidate]) -> list[Size]:
        """The candidates, untrained, as programs linked for the device."""
        return together(self._size, space, self.stop)

    def judge(self, chosen: Sequence[Candidate]) -> list[Judgement]:
        """Trains candidates: their accuracies in integers on the validation split."""
        return together(self._judgement, chosen, self.stop)

    def integer_graph(self, candidate: Candidate) -> Graph:
        """The trained candidate as it ships."""
        annotated = self.checkpoints.get(candidate.name)
        if annotated is None:
            annotated = self.recipe(candidate, partial(self._told, candidate))
            self.checkpoints.put(candidate.name, annotated)
        return freeze(with_softmax(annotated, self.ready.softmax))

    def _size(self, candidate: Candidate) -> Size:
        annotated = self.recipe.quantize(candidate, self.recipe.prune(candidate))
        graph = freeze(with_softmax(annotated, self.ready.softmax))
        sample = input_codes(graph, self.ready.splits.validation.x[:1])
        taken = footprint(write(graph, isa=isa_of(self.device.core)), self.device, sample)
        self._told(candidate, "measuring", 1, 1)
        return Size(taken.flash_bytes, taken.ram_bytes, taken.weight_bytes, taken.latency_ms, taken.energy_mj)

    def _judgement(self, candidate: Candidate) -> Judgement:
        part = self.ready.splits.validation
        outputs = integer_outputs(self.integer_graph(candidate), part.x)
        teacher = float_outputs(self.ready.graph, part.x)
        found = accuracy(outputs, part.y, teacher, self.ready.goal)
        return Judgement(found, difference_error(outputs, part.y, teacher, self.ready.goal))

    def _told(
        self, candidate: Candidate, phase: str, done: int, total: int, loss: float | None = None
    ) -> None:
        if self.stop.is_set():
            raise Stopped
        self.watch.step(f"{candidate.name}: {phase}", done, total, loss)


def _accuracies(ready: Prepared, graph: Graph) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name, part in (("validation", ready.splits.validation), ("test", ready.splits.test)):
        teacher, integers = float_outputs(ready.graph, part.x), integer_outputs(graph, part.x)
        rows.append({
            "split": name,
            "teacher": accuracy(teacher, part.y, teacher, ready.goal),
            "integers": accuracy(integers, part.y, teacher, ready.goal),
            "agreement": accuracy(integers, None, teacher, ready.goal),
            "samples": len(part.x),
        })  # fmt: skip
    return rows


def prove(graph: Graph, ready: Prepared, device: Device, cores: tuple[str, ...], watch: Watcher) -> Evidence:
    """Writes the program, runs golden vectors on every core, and measures it on the device."""
    x = ready.splits.test.x
    codes = input_codes(graph, x[np.linspace(0, len(x) - 1, GOLDEN_VECTORS).astype(int)])
    golden = codes, run_integers(graph, codes)
    vectors = golden[0][:SELF_TEST_VECTORS], golden[1][:SELF_TEST_VECTORS]
    program = write(graph, vectors, isa=isa_of(device.core))
    _prove_on_host(graph, program, codes.shape[1:])
    checks, skipped = verify(program.files, *golden, cores, watch.core)
    return Evidence(program, golden, checks, skipped, footprint(program, device, codes[:1]))


def _prove_on_host(graph: Graph, program: CProgram, shape: tuple[int, ...]) -> None:
    """Random inputs reach integers that the data does not."""
    random = np.random.default_rng(0).integers(-128, 128, (HOST_VECTORS, *shape)).astype(np.int8)
    verify(program.files, random, run_integers(graph, random), ("host",))


def note_on_test(report: Report, budget: Budget, watch: Watcher) -> None:
    """The choice was made on validation; what the test split says beyond it is said, not hidden."""
    row = report.data["accuracy"][-1]
    drop = row["teacher"] - row["integers"]
    if budget.max_drop is not None and drop > budget.max_drop:
        watch.note(
            f"on the {row['samples']} test samples the drop is {drop:.2%}, more than the {budget.max_drop:.2%} "
            "allowed: the validation split did not show it. More validation data, or a smaller max_drop, helps."
        )


def _chosen(outcome: Outcome, budget: Budget) -> Candidate:
    if outcome.chosen is None:
        near = outcome.nearest
        said = f": {near.reason}" if near.reason else ""
        raise BudgetNotMet(
            f"no candidate meets the budget ({budget}). The nearest is {near.candidate.name} with "
            f"{near.size.flash_bytes:,} B flash and {near.size.ram_bytes:,} B RAM{said}. "
            "Allow more, or start from a smaller model."
        )
    return outcome.chosen.candidate

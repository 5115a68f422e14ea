"""The main job: read → plan → prune, distil, quantize → write → verify → report.

The module is not called shrink because `pintsize.shrink` is the function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram

from pintsize import devices, emulate
from pintsize.apart import trainer
from pintsize.assemble import Provenance, assemble, files_of, on_front
from pintsize.budget import Budget
from pintsize.checkpoints import Checkpoints
from pintsize.compress.candidate import Candidate
from pintsize.compress.lesson import Goal
from pintsize.compress.quantize import ActivationBits, Bits, without_int16
from pintsize.compress.recipe import EFFORTS, Recipe, without_softmax
from pintsize.compress.shortlist import Planner
from pintsize.compress.size import FIGURES, limits_of
from pintsize.compress.staged import coarse_to_fine
from pintsize.compress.trial import Outcome, Trial
from pintsize.data import Splits, load, splits_of
from pintsize.devices import Device
from pintsize.errors import BudgetNotMet, DataError, UserError
from pintsize.folder import check_writable, write_folder
from pintsize.front import trade_off
from pintsize.graph import Graph
from pintsize.passes.simplify import fold, simplify
from pintsize.progress import Watcher
from pintsize.read.layout import Layout
from pintsize.read.model_file import is_model_file, read_file
from pintsize.read.reading import Reading
from pintsize.read.torch_export import read
from pintsize.report.report import Report
from pintsize.teaching import Teaching, lesson_of, taught, teacher_graph, unlabelled_samples
from pintsize.together import one_thread_each
from pintsize.undone import steps_of
from pintsize.verify import CORES, accuracy, float_outputs
from pintsize.workshop import Prepared, Workshop, accuracies, prove

EffortName = Literal["low", "medium", "high"]
#: axes of a sample (without the batch) that a layout is for
RANKS = {Layout.IMAGE: (3,), Layout.SIGNAL: (2,), Layout.PLAIN: range(9)}


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
    activation_bits: ActivationBits | Literal["auto"] = "auto",
    teaching: Teaching | None = None,
    front: bool = False,
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
        activation_bits: 8, or 16 for signals with more dynamics than 8 bits hold; "auto": 16 only where no network of
            8 holds the accuracy.
        teaching: another teacher, unlabelled samples, frozen layers, a loss, a metric or a callback of your own.
        front: the whole trade-off: about a dozen models from tiny to best, each ready to ship below `<out>/front` and
            in the Report's `front`; the Report itself is of the one that suits the budget.
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
    lessons = teaching or Teaching()
    ready = prepare_inputs(model, train, test, goal, seed, lessons)
    source = provenance or Provenance()
    source = source.with_hashes(ready.graph, ready.splits)
    bits = sorted((layer_bits or {}).items())
    fingerprint = partial(source.fingerprint, target.name, effort, seed, bits, lessons.fingerprint(ready))
    checkpoints = Checkpoints.beside(out, fingerprint(8))
    note_on_inputs(ready, allowed, watch)

    watch.stage("Asking the teacher")
    lesson = lesson_of(ready, lessons, EFFORTS[effort], seed)
    with one_thread_each():
        ready = taught(ready, lesson, lessons, EFFORTS[effort], checkpoints, watch, seed)
        recipe = Recipe(
            ready.graph, lesson, EFFORTS[effort], target.channel_alignment, layer_bits=layer_bits or {},
            frozen=lessons.frozen, on_epoch=lessons.on_epoch, seed=seed,
        )  # fmt: skip
        models = EFFORTS[effort].front if front else None

        def search(width: ActivationBits) -> tuple[Workshop, Outcome]:
            wide = replace(recipe, activation_bits=width)
            shop = Workshop(ready, wide, target, Checkpoints.beside(out, fingerprint(width)), watch)
            return shop, searched(shop, allowed, models)

        width, *wider = activation_widths(activation_bits, ready.graph)
        workshop, outcome = search(width)
        if wider and loses_too_much(outcome):
            watch.note(f"no network with activations of {width} bits holds the accuracy: trying {wider[0]}")
            workshop, outcome = search(wider[0])
    chosen = _chosen(outcome, allowed)

    watch.stage("Writing and proving the program")
    settings = Settings(target, allowed, source, seed)
    report = written(workshop, outcome, chosen, settings, cores)
    if front:
        report = with_front(report, workshop, outcome, settings)
    note_on_test(report, allowed, watch)
    if out is not None:
        write_folder(files_of(report, workshop.for_explaining(chosen)), Path(out))
        checkpoints.clear()
    return report


def searched(workshop: Workshop, budget: Budget, models_on_front: int | None) -> Outcome:
    """The search, for one model or for a whole trade-off. Raises BudgetNotMet where nothing could meet the budget."""
    planner = workshop.planner
    refuse_impossible(planner, budget)
    workshop.watch.stage(f"Searching for the smallest model within {budget}")
    shortlist = planner.shortlist(budget, every_size=bool(models_on_front) or budget.max_drop is not None)
    workshop.know(shortlist)
    with trainer(workshop.recipe) as workshop.train:
        if models_on_front:
            outcome = trade_off(workshop, shortlist, models_on_front, budget)
        else:
            teacher = workshop.teacher_accuracy
            outcome = coarse_to_fine(shortlist, workshop.judge, budget, teacher, workshop.watch.trial)
    workshop.train = workshop.recipe
    return outcome


def activation_widths(asked: ActivationBits | Literal["auto"], graph: Graph) -> list[ActivationBits]:
    """Widths of the activations to try, one after the other."""
    if asked != "auto":
        return [asked]
    return [8, 16] if not without_int16(fold(graph)) else [8]


def loses_too_much(outcome: Outcome) -> bool:
    """Has nothing been chosen for want of accuracy, not of room?"""
    return outcome.chosen is None and outcome.nearest.status == "dropped"


@dataclass(frozen=True)
class Settings:
    """What every report of one run says alike."""

    device: Device
    budget: Budget
    source: Provenance
    seed: int


def written(
    workshop: Workshop, outcome: Outcome, candidate: Candidate, settings: Settings, cores: tuple[str, ...]
) -> Report:
    """A trained candidate, written, proven and reported."""
    graph, ready = workshop.integer_graph(candidate), workshop.ready
    evidence = prove(graph, ready, settings.device, cores, workshop.watch)
    return assemble(
        graph, ready.labels, outcome, evidence, settings.device, settings.budget, settings.source, settings.seed,
        accuracies(ready, graph), steps_of(workshop, candidate),
    )  # fmt: skip


def with_front(report: Report, workshop: Workshop, outcome: Outcome, settings: Settings) -> Report:
    """The report with all models of the trade-off, smallest first, proven on the host and the device's core."""
    cores = tuple(c for c in ("host", settings.device.core) if c in emulate.CORES)
    best = [t for t in reversed(outcome.trials) if t.effort >= 1 and t.status in ("fits", "chosen")]
    reports: list[Report] = []
    for number, trial in enumerate(best):
        workshop.watch.step("writing and proving the front", number, len(best))
        marked = replace(trial, status="chosen")
        alone = Outcome(
            tuple(marked if t is trial else _not_chosen(t) for t in outcome.trials), marked, marked
        )
        reports.append(written(workshop, alone, trial.candidate, settings, cores))
    return on_front(report, reports)


def _not_chosen(trial: Trial) -> Trial:
    return replace(trial, status="fits") if trial.status == "chosen" else trial


def prepare_inputs(
    model: nn.Module | ExportedProgram | str | Path, train: Any, test: Any, goal: Goal | None, seed: int,
    teaching: Teaching | None = None,
) -> Prepared:  # fmt: skip
    """Reads model and data and makes them fit each other. Raises ModelError or DataError."""
    lessons = teaching or Teaching()
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
    named = replace(graph, labels=labels[:outputs])
    teacher = None if lessons.teacher is None else teacher_graph(_read(lessons.teacher, splits.sample_shape))
    more = unlabelled_samples(lessons.unlabelled, reading, splits.sample_shape)
    return Prepared(
        named, softmax, arranged, guessed, labels, reading.input_layout, teacher, more, lessons.metric
    )


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


def note_on_test(report: Report, budget: Budget, watch: Watcher) -> None:
    """The choice was made on validation; what the test split says beyond it is said, not hidden."""
    row = report.data["accuracy"][-1]
    drop = row["teacher"] - row["integers"]
    if budget.max_drop is not None and drop > budget.max_drop:
        watch.note(
            f"on the {row['samples']} test samples the drop is {drop:.2%}, more than the {budget.max_drop:.2%} "
            "allowed: the validation split did not show it. More validation data, or a smaller max_drop, helps."
        )


def note_on_inputs(ready: Prepared, budget: Budget, watch: Watcher) -> None:
    """What makes an hour of search pointless is said before it."""
    part = ready.splits.validation
    if ready.goal != "classes" or part.y is None or not len(part.y):
        return
    teacher = float_outputs(ready.reference, part.x)
    found = accuracy(teacher, part.y, teacher, "classes")
    chance = float(np.bincount(part.y).max()) / len(part.y)
    if found <= chance + np.sqrt(chance * (1 - chance) / len(part.y)):
        watch.note(
            f"the teacher is right on {found:.1%} of the {len(part.y)} validation samples, and always saying the most "
            f"frequent class on {chance:.1%}: it is no better than chance. Are its weights loaded, and are the samples "
            "prepared as in its training?"
        )
    elif budget.max_drop is not None and found - budget.max_drop <= chance:
        watch.note(
            f"the teacher is right on {found:.1%}; a drop of {budget.max_drop:.1%} leaves no more than always saying "
            f"the most frequent class ({chance:.1%})"
        )


def refuse_impossible(planner: Planner, budget: Budget) -> None:
    """Raises BudgetNotMet, before any training, where even the narrowest networks are over a limit."""
    narrowest = planner.narrowest()
    for name, limit in limits_of(budget).items():
        least = min(narrowest, key=lambda row: getattr(row.size, name) or 0.0)
        have = getattr(least.size, name)
        if have is not None and have > limit:
            title, unit = FIGURES[name]
            raise BudgetNotMet(
                f"no candidate meets the budget ({budget}). The nearest is {least.candidate.name} with {have:,.4g} "
                f"{unit} of {title}, and {limit:,.4g} are allowed. Allow more, or start from a smaller model."
            )


def _chosen(outcome: Outcome, budget: Budget) -> Candidate:
    if outcome.chosen is None:
        near = outcome.nearest
        said = f": {near.reason}" if near.reason else ""
        raise BudgetNotMet(
            f"no candidate meets the budget ({budget}){_each_alone(outcome, budget)}. The nearest is "
            f"{near.candidate.name} with {near.size.flash_bytes:,} B flash and {near.size.ram_bytes:,} B RAM{said}. "
            "Allow more, or start from a smaller model."
        )
    return outcome.chosen.candidate


def _each_alone(outcome: Outcome, budget: Budget) -> str:
    """Said where every limit can be kept, but not all at once."""
    limits = limits_of(budget)
    met = [any((getattr(t.size, n) or 0.0) <= limits[n] for t in outcome.trials) for n in limits]
    together = all(t.status == "too large" for t in outcome.trials)
    return (
        ": each limit can be kept, but not all of them together"
        if together and all(met) and len(met) > 1
        else ""
    )

"""`pintsize quantize`: a trained model in integers without training, from tens to hundreds of samples.

read → price narrower weights layer by layer → fit candidates to the float model → write → prove → report
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any, Literal, get_args

import numpy as np
from torch import nn
from torch.export import ExportedProgram

from pintsize import devices
from pintsize.assemble import Evidence, Provenance, assemble, files_of
from pintsize.budget import Budget
from pintsize.compiling import compile_model
from pintsize.compress.candidate import Candidate
from pintsize.compress.data_free import synthesize
from pintsize.compress.lesson import Goal
from pintsize.compress.post_training import PostTraining
from pintsize.compress.quantize import ActivationBits, Bits, Quantize, freeze
from pintsize.compress.recipe import with_softmax
from pintsize.compress.search import search
from pintsize.compress.sensitivity import bit_prices, narrowing_steps
from pintsize.compress.size import Size
from pintsize.compress.trial import Judgement, Outcome
from pintsize.data import Dataset, Splits, samples_of
from pintsize.devices import Device
from pintsize.errors import BudgetNotMet, UserError
from pintsize.folder import check_writable, write_folder
from pintsize.graph import Graph
from pintsize.measure import footprint
from pintsize.passes.simplify import fold
from pintsize.progress import Watcher
from pintsize.report.report import Report
from pintsize.shrinking import prepare_inputs
from pintsize.together import Stopped, one_thread_each, together
from pintsize.verify import accuracy, difference_error, float_outputs, input_codes, integer_outputs
from pintsize.workshop import Prepared, accuracies, size_of
from pintsize.write.c import write
from pintsize.write.c.calls import isa_of

WeightBits = Literal[8, 4, 2, "auto"]
#: samples that layers are fitted to, and from how many on a quarter is held back to judge by
FITTED_SAMPLES, ENOUGH_TO_HOLD_BACK = 512, 64
#: fewer say little about ranges
FEW_SAMPLES = 16
#: widths of all layers that are compared under a budget
MOST_STEPS = 9
#: samples behind the ranges of programs that are only measured
SIZING_SAMPLES = 8
DEFAULT_DROP = 0.01
SYNTHESIZED_SAMPLES = 128


def quantize(
    model: nn.Module | ExportedProgram | str | Path,
    samples: Any = None,
    *,
    device: str | Device,
    bits: WeightBits = "auto",
    activation_bits: ActivationBits = 8,
    budget: Budget | None = None,
    test: Any = None,
    sample_shape: tuple[int, ...] | None = None,
    out: str | Path | None = None,
    goal: Goal | None = None,
    seed: int = 0,
    watcher: Watcher | None = None,
    provenance: Provenance | None = None,
) -> Report:
    """Quantizes a trained model without training it, as a C program proven on the host and the device's core.

    Args:
        model: an nn.Module, a torch.export program, or the path of a .pt2 archive, a .tflite or a .onnx file of real
            numbers.
        samples: 32 to 512 samples, in any form that `pintsize.load` takes; of data that comes split, the training
            part. With labels, accuracy is what counts; without, agreement with the float model. None: samples are
            made from what the model's batch norms remember, for inputs of `sample_shape`, as the model takes them.
        bits: of the weights; "auto" gives each layer its own, narrowest where the least is lost.
        activation_bits: 8, or 16 where 8 lose too much.
        budget: what is allowed. With "auto", the smallest that holds `max_drop`; where flash is given and no
            `max_drop`, the best that fits; where neither is, `max_drop` is 1 %, or one sample if that is more.
        test: data to report on; else the samples that were not fitted to.
        out: a folder for the results.

    Raises UserError (see errors.py) for what the caller can mend; BudgetNotMet when nothing fits; VerificationError
    when a core computes another integer than the Graph.
    """
    watch = watcher or Watcher()
    target, allowed = devices.device(device), budget or Budget()
    if bits not in get_args(WeightBits):
        raise UserError(f"bits may be 8, 4, 2 or auto, not {bits}")
    how = PostTraining(activation_bits=activation_bits)
    if out is not None:
        check_writable(Path(out))
    watch.stage("Reading the model and the samples")
    if samples is None:
        ready = _without_samples(model, sample_shape, test, goal, seed, watch)
    else:
        ready = _prepared(model, samples, test, goal, seed, watch)
    source = (provenance or Provenance("pintsize.quantize")).with_hashes(ready.graph, ready.splits)
    work = _Workbench(ready, fold(ready.graph), how, target, watch)
    if bits == "auto":
        watch.stage("Pricing narrower weights")
        allowed = _with_drop(allowed, len(ready.splits.validation))
    space = work.mixed() if bits == "auto" else (Candidate(1.0, bits),)
    watch.stage(f"Fitting layers to the float model within {allowed}")
    with one_thread_each():
        outcome = search(space, work.sizes, work.judge, allowed, work.float_accuracy, watch.trial)
    if outcome.chosen is None:
        raise _not_met(outcome, allowed, bits, activation_bits)
    watch.stage("Writing and proving the program")
    done = compile_model(work.integer_graph(outcome.chosen.candidate), target, on_core=watch.core)
    evidence = Evidence(done.program, done.golden, done.checks, done.skipped, done.footprint)
    found = accuracies(ready, done.graph)
    report = assemble(done.graph, ready.labels, outcome, evidence, target, allowed, source, seed, found)
    if out is not None:
        write_folder(files_of(report), Path(out))
    return report


def _prepared(
    model: nn.Module | ExportedProgram | str | Path, samples: Any, test: Any, goal: Goal | None, seed: int,
    watch: Watcher,
) -> Prepared:  # fmt: skip
    given = _without_useless_labels(samples_of(samples, seed=seed, part="train"), watch)
    _warn_of_few(given, watch)
    fitted, judged = _divided(given, seed)
    reported = judged if test is None else samples_of(test, seed=seed)
    if (reported.y is None) != (judged.y is None):  # one yardstick for both: the float model's answers
        watch.note(
            "only one of the samples and the test data has labels: agreement with the float model is measured"
        )
        fitted, judged, reported = (replace(part, y=None) for part in (fitted, judged, reported))
    return prepare_inputs(model, Splits(fitted, judged, reported), None, goal, seed)


def _without_samples(
    model: nn.Module | ExportedProgram | str | Path, shape: tuple[int, ...] | None, test: Any, goal: Goal | None,
    seed: int, watch: Watcher,
) -> Prepared:  # fmt: skip
    if shape is None and test is None:
        raise UserError(
            "without samples the shape of one input must be given (--sample-shape 1,49,10). Samples are better: 32 are "
            "enough, labels are not needed"
        )
    reported = (
        samples_of(test, seed=seed)
        if test is not None
        else Dataset(np.zeros((2, *(shape or ())), np.float32))
    )
    ready = prepare_inputs(model, Splits(reported, reported, reported), None, goal, seed)
    watch.note(
        "no samples were given: ranges are read off inputs made from what the model's batch norms remember. A few real "
        "ones would be better, and what is measured on made ones is flattering"
    )
    made = Dataset(synthesize(ready.graph, SYNTHESIZED_SAMPLES, seed))
    report = made if test is None else ready.splits.test
    return replace(ready, splits=Splits(made, report, report))


def _without_useless_labels(data: Dataset, watch: Watcher) -> Dataset:
    if data.y is None or len(np.unique(data.y)) > 1:
        return data
    watch.note(
        "all labels name one class, which says little: agreement with the float model is measured instead"
    )
    return replace(data, y=None)


def _warn_of_few(data: Dataset, watch: Watcher) -> None:
    if len(data) == 1:
        watch.note(
            "there is one sample only: ranges, rounding and biases suit this one input, and what others lose is not "
            "known. Give 32 or more, as different as what the device will see"
        )
    elif len(data) < FEW_SAMPLES:
        watch.note(f"{len(data)} samples say little about the ranges: give 32 or more")
    if len(data) < ENOUGH_TO_HOLD_BACK:
        watch.note(
            f"with fewer than {ENOUGH_TO_HOLD_BACK} samples all are fitted to, so what is measured on them is "
            "flattering: give --test data to know"
        )


def _divided(data: Dataset, seed: int) -> tuple[Dataset, Dataset]:
    """(samples to fit to, others to judge by); the same ones where there are few."""
    if len(data) < ENOUGH_TO_HOLD_BACK:
        return data, data
    order = np.random.default_rng(seed).permutation(len(data))
    fitted = min(FITTED_SAMPLES, len(data) * 3 // 4)
    return data.take(np.sort(order[:fitted])), data.take(np.sort(order[fitted:]))


def _with_drop(budget: Budget, judged: int) -> Budget:
    if budget.max_drop is not None or budget.flash_bytes is not None:
        return budget
    amounts = (budget.flash_bytes, budget.ram_bytes, budget.latency_ms, budget.energy_mj)
    flash, ram, latency, energy = amounts
    return Budget(
        flash, ram, None if latency is None else latency / 1e3, None if energy is None else energy / 1e3,
        max(DEFAULT_DROP, 1 / judged),
    )  # fmt: skip


@dataclass(frozen=True)
class _Workbench:
    """Makes, measures and judges candidates. folded: the float Graph that is quantized."""

    ready: Prepared
    folded: Graph
    how: PostTraining
    device: Device
    watch: Watcher
    stop: Event = field(default_factory=Event)
    done: dict[Candidate, Graph] = field(default_factory=dict)

    @property
    def float_accuracy(self) -> float:
        part = self.ready.splits.validation
        outputs = float_outputs(self.folded, part.x)
        return accuracy(outputs, part.y, outputs, self.ready.goal)

    def mixed(self) -> tuple[Candidate, ...]:
        """From 8 bits everywhere to the narrowest, evenly spread."""
        sizes: dict[tuple[str, Bits], float] = {}
        for bits in get_args(Bits):
            sizes |= {(name, bits): float(size) for name, size in self._constant_bytes(bits).items()}
        told = self._teller("pricing layers")
        prices = bit_prices(self.folded, self.ready.splits.train.x, self.ready.goal, told)
        steps = narrowing_steps(prices, sizes)
        taken = np.unique(np.linspace(0, len(steps) - 1, min(MOST_STEPS, len(steps))).round().astype(int))
        return tuple(_candidate(steps[i], self.folded) for i in taken)

    def _constant_bytes(self, bits: Bits) -> Mapping[str, int]:
        """Node → bytes of its constants as they are written."""
        graph = self._roughly(Candidate(1.0, bits))
        program = write(graph, isa=isa_of(self.device.core))
        return {n.name: b for n, b in zip(graph.nodes, program.constant_bytes, strict=True)}

    def _roughly(self, candidate: Candidate) -> Graph:
        """The candidate's integer Graph with ranges off a few samples: its size is right and its numbers are not."""
        how = Quantize(
            candidate.bits, dict(candidate.layer_bits), "min_max", activation_bits=self.how.activation_bits
        )
        annotated = how.annotate(self.folded, self.ready.splits.train.x[:SIZING_SAMPLES])
        return freeze(with_softmax(annotated, self.ready.softmax))

    def sizes(self, space: Sequence[Candidate]) -> list[Size]:
        """The candidates as programs linked for the device."""
        return together(self._size, space, self.stop)

    def _size(self, candidate: Candidate) -> Size:
        graph = self._roughly(candidate)
        program = write(graph, isa=isa_of(self.device.core))
        taken = footprint(program, self.device, input_codes(graph, self.ready.splits.train.x[:1]))
        return size_of(taken)

    def judge(self, chosen: Sequence[Candidate]) -> list[Judgement]:
        """Fits candidates: their accuracies in integers on the validation split."""
        return together(self._judgement, chosen, self.stop)

    def _judgement(self, candidate: Candidate) -> Judgement:
        part, goal = self.ready.splits.validation, self.ready.goal
        outputs = integer_outputs(self.integer_graph(candidate), part.x)
        teacher = float_outputs(self.folded, part.x)
        error = difference_error(outputs, part.y, teacher, goal)
        return Judgement(accuracy(outputs, part.y, teacher, goal), error)

    def integer_graph(self, candidate: Candidate) -> Graph:
        """The fitted candidate as it ships."""
        if candidate not in self.done:
            how = replace(self.how, weight_bits=candidate.bits, layer_bits=dict(candidate.layer_bits))
            told = self._teller(f"{candidate.name}: fitting layers")
            annotated = how.annotate(self.folded, self.ready.splits.train.x, told)
            self.done[candidate] = freeze(with_softmax(annotated, self.ready.softmax))
        return self.done[candidate]

    def _teller(self, what: str) -> Callable[[int, int], None]:
        def told(done: int, total: int) -> None:
            if self.stop.is_set():
                raise Stopped
            self.watch.step(what, done, total)

        return told


def _candidate(bits: Mapping[str, Bits], graph: Graph) -> Candidate:
    """Named by the mean width of its weights."""
    counts = {n.name: graph.type(n.inputs[1]).elements for n in graph.nodes if n.name in bits}
    mean = sum(counts[n] * b for n, b in bits.items()) / max(1, sum(counts.values()))
    return Candidate(1.0, 8, layer_bits=tuple(sorted(bits.items())), title=f"{mean:.2f} bits a weight")


def _not_met(
    outcome: Outcome, budget: Budget, bits: WeightBits, activation_bits: ActivationBits
) -> BudgetNotMet:
    near = outcome.nearest
    said = f": {near.reason}" if near.reason else ""
    ways = ["allow more", "shrink with a training set (pintsize shrink)"]
    if near.status == "dropped" and activation_bits == 8:
        ways.insert(1, "quantize the activations to 16 bits")
    if bits != "auto":
        ways.insert(1, "let each layer have its own width (bits auto)")
    return BudgetNotMet(
        f"no widths of the weights meet the budget ({budget}). The nearest is {near.candidate.name} with "
        f"{near.size.flash_bytes:,} B flash and {near.size.ram_bytes:,} B RAM{said}. What may help: "
        f"{', or '.join(ways)}"
    )

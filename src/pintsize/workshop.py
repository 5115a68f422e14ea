"""Where candidates are planned, trained, measured and proven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import takewhile
from threading import Event
from typing import Any

import numpy as np

from pintsize.apart import TrainCandidate
from pintsize.assemble import Evidence
from pintsize.checkpoints import Checkpoints
from pintsize.compress.candidate import Candidate
from pintsize.compress.grid import grid
from pintsize.compress.lesson import Goal, Metric
from pintsize.compress.outline import Allocation
from pintsize.compress.quantize import freeze
from pintsize.compress.recipe import Recipe, with_softmax
from pintsize.compress.refund import Refund, costs_no_more
from pintsize.compress.search import Judgement
from pintsize.compress.shortlist import Planner, Sketched
from pintsize.compress.size import Size
from pintsize.costs import CostModel
from pintsize.data import Splits
from pintsize.devices import Device
from pintsize.explaining.record import FILE as RECORD
from pintsize.explaining.record import Record, record_file
from pintsize.graph import Graph, Node
from pintsize.measure import Footprint, footprint
from pintsize.module import run_integers
from pintsize.progress import Watcher
from pintsize.read.layout import Layout
from pintsize.together import Stopped, together
from pintsize.verify import (
    accuracy,
    difference_error,
    float_outputs,
    input_codes,
    integer_outputs,
    random_codes,
    verify,
)
from pintsize.write.c import CProgram, write
from pintsize.write.c.calls import isa_of

GOLDEN_VECTORS = 32
#: of them kept as C for the self-test on the chip
SELF_TEST_VECTORS = 4
HOST_VECTORS = 1000


@dataclass(frozen=True)
class Prepared:
    """The model and data, ready for the search. x is channels last.

    teacher: whose answers are learnt where they are not the model's own; unlabelled: more x; metric: replaces accuracy.
    """

    graph: Graph
    softmax: Node | None
    splits: Splits
    goal: Goal
    labels: tuple[str, ...]
    layout: Layout = Layout.PLAIN
    teacher: Graph | None = None
    unlabelled: np.ndarray | None = None
    metric: Metric | None = None

    @property
    def reference(self) -> Graph:
        """What the shrunk networks are compared with."""
        return self.teacher or self.graph

    def score(self, outputs: np.ndarray, y: np.ndarray | None, teacher: np.ndarray) -> float:
        """How good outputs (n, outputs) are: by the metric, else accuracy."""
        if self.metric is not None:
            return float(self.metric(outputs, y))
        return accuracy(outputs, y, teacher, self.goal)

    def error(self, outputs: np.ndarray, y: np.ndarray | None, teacher: np.ndarray) -> float:
        """Standard error of the score's difference to the teacher's; 0 for a metric, of which nothing is known."""
        return 0.0 if self.metric is not None else difference_error(outputs, y, teacher, self.goal)


@dataclass
class Workshop:
    """Makes, measures and judges candidates; what is done is kept in the checkpoints, and while the run lasts."""

    ready: Prepared
    recipe: Recipe
    device: Device
    checkpoints: Checkpoints
    watch: Watcher
    stop: Event = field(default_factory=Event)
    trained: dict[str, Graph] = field(default_factory=dict)
    sketched: dict[Candidate, Sketched] = field(default_factory=dict)
    settled: dict[Candidate, Candidate] = field(default_factory=dict)
    links: dict[Allocation, Size] = field(default_factory=dict)
    train: TrainCandidate = field(init=False)

    def __post_init__(self) -> None:
        self.train = self.recipe

    @cached_property
    def planner(self) -> Planner:
        """Prices of this network, and costs of its kernels on the device."""
        model = CostModel.of(self.device)
        planner = self.recipe.planner(model, self.ready.softmax)
        self.watch.stage(f"Measuring its kernels on the {self.device.core}")
        model.measure(grid(planner.sketch, list(planner.cost.drops), planner.rules))
        return replace(planner, measured=self.linked)

    @property
    def teacher_accuracy(self) -> float:
        """On the validation split."""
        part = self.ready.splits.validation
        teacher = float_outputs(self.ready.reference, part.x)
        return self.ready.score(teacher, part.y, teacher)

    def know(self, rows: Sequence[Sketched]) -> None:
        """What was shortlisted, so that its refunds can be confirmed."""
        self.sketched |= {row.candidate: row for row in rows}

    def judge(self, chosen: Sequence[Candidate], effort: float) -> list[Judgement]:
        """Trains candidates: their accuracies in integers on the validation split."""
        return together(partial(self._judgement, effort), chosen, self.stop)

    def annotated(self, candidate: Candidate, effort: float = 1.0) -> Graph:
        """The trained candidate."""
        settled = self.settle(candidate)
        key = f"{settled.key} {effort:g}"
        found = self.trained.get(key) or self.checkpoints.get(key)
        if found is None:
            found = self.train(settled, partial(self._told, candidate), effort)
            self.checkpoints.put(key, found)
        self.trained[key] = found
        return found

    def integer_graph(self, candidate: Candidate, effort: float = 1.0) -> Graph:
        """The trained candidate as it ships."""
        return freeze(with_softmax(self.annotated(candidate, effort), self.ready.softmax))

    def settle(self, candidate: Candidate) -> Candidate:
        """The candidate with the refunds that linked programs confirm: undone, a step costs no byte more."""
        if candidate not in self.settled:
            row = self.sketched.get(candidate)
            allocation = None if row is None else self.settled_allocation(candidate)
            same = allocation is None or (row is not None and allocation == row.allocation)
            self.settled[candidate] = (
                candidate
                if same or allocation is None
                else self.planner.candidate(allocation, candidate.name)
            )
        return self.settled[candidate]

    def settled_allocation(self, candidate: Candidate) -> Allocation:
        """Refunds up to the first that is not confirmed. Raises KeyError for what was not shortlisted."""
        row = self.sketched[candidate]
        wrong = next((r for r in row.refunds if not self._confirmed(r)), None)
        return row.allocation if wrong is None else wrong.kept

    def confirmed_refunds(self, candidate: Candidate) -> list[str]:
        """The steps that were undone."""
        return [r.step for r in takewhile(self._confirmed, self.sketched[candidate].refunds)]

    def _confirmed(self, refund: Refund) -> bool:
        return costs_no_more(self.linked(refund.undone), self.linked(refund.kept))

    def linked(self, allocation: Allocation) -> Size:
        """The program of an allocation, untrained, as linked for the device and run there."""
        if allocation not in self.links:
            self.links[allocation] = size_of(self.measured(self.planner.sketch.graph(allocation)))
        return self.links[allocation]

    def measured(self, graph: Graph) -> Footprint:
        """Of an integer Graph."""
        sample = input_codes(graph, self.ready.splits.validation.x[:1])
        return footprint(write(graph, isa=isa_of(self.device.core)), self.device, sample)

    def for_explaining(self, candidate: Candidate) -> dict[str, bytes]:
        """What `pintsize explain` needs of a candidate that is trained: file name → content."""
        splits, ready = self.ready.splits, self.ready
        kept = Record.of(
            self.annotated(candidate),
            ready.reference,
            splits.validation,
            splits.train.x,
            ready.goal,
            ready.layout,
        )
        return {RECORD: record_file(kept)}

    def _judgement(self, effort: float, candidate: Candidate) -> Judgement:
        part = self.ready.splits.validation
        graph = self.integer_graph(candidate, effort)
        outputs = integer_outputs(graph, part.x)
        teacher = float_outputs(self.ready.reference, part.x)
        found = self.ready.score(outputs, part.y, teacher)
        error = self.ready.error(outputs, part.y, teacher)
        return Judgement(found, error, size_of(self.measured(graph)) if effort >= 1 else None)

    def _told(
        self, candidate: Candidate, phase: str, done: int, total: int, loss: float | None = None
    ) -> None:
        if self.stop.is_set():
            raise Stopped
        self.watch.step(f"{candidate.name}: {phase}", done, total, loss)


def size_of(taken: Footprint) -> Size:
    """The figures that the search compares."""
    return Size(
        taken.flash_bytes,
        taken.ram_bytes,
        taken.weight_bytes,
        taken.latency_ms,
        taken.energy_mj,
        taken.instructions,
    )


def accuracies(ready: Prepared, graph: Graph) -> list[dict[str, Any]]:
    """Of the float model and of an integer Graph on validation and test, as the report has them."""
    rows: list[dict[str, Any]] = []
    for name, part in (("validation", ready.splits.validation), ("test", ready.splits.test)):
        teacher, integers = float_outputs(ready.reference, part.x), integer_outputs(graph, part.x)
        rows.append({
            "split": name,
            "teacher": ready.score(teacher, part.y, teacher),
            "integers": ready.score(integers, part.y, teacher),
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
    _prove_on_host(graph, program)
    checks, skipped = verify(program.files, *golden, cores, watch.core)
    return Evidence(program, golden, checks, skipped, footprint(program, device, codes[:1]))


def _prove_on_host(graph: Graph, program: CProgram) -> None:
    """Random inputs reach integers that the data does not."""
    random = random_codes(graph, HOST_VECTORS)
    verify(program.files, random, run_integers(graph, random), ("host",))

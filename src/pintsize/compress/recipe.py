"""From a candidate to a trained network: drop branches, prune, recover in floats, quantize, recover in integers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from pintsize.compress.allocate import Rules
from pintsize.compress.blocks import drop_branches
from pintsize.compress.candidate import Candidate
from pintsize.compress.epoch import Epoch, OnEpoch
from pintsize.compress.frozen import frozen_nodes, whole_widths
from pintsize.compress.importance import Criterion, Examples
from pintsize.compress.lesson import Lesson
from pintsize.compress.prices import prices
from pintsize.compress.prune import Prune
from pintsize.compress.quantize import ActivationBits, Bits, Quantize, freeze
from pintsize.compress.recover import Length, Recover, recover
from pintsize.compress.search import BITS, WIDTHS
from pintsize.compress.shortlist import Planner
from pintsize.compress.sketch import Costs, Sketch
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.ops import Softmax
from pintsize.passes.simplify import fold

#: called with (phase, epochs done, epochs in all, mean loss)
OnStep = Callable[[str, int, int, float], None]

#: samples that rank channels and calibrate ranges
EXAMPLES = 256
CALIBRATION = 512
#: constants of the networks whose channels and bits are chosen together, as shares of all channels at 8 bits
SHARES = tuple(round(0.5 * 0.85**i, 4) for i in range(18))


@dataclass(frozen=True)
class Effort:
    """How long to look: optimizer steps of a whole training in real numbers and in integers, and the widths to try.

    shares: sizes to choose channels and bits together for; front: models of a whole trade-off.
    """

    float_steps: int
    integer_steps: int
    widths: tuple[float, ...] = WIDTHS
    shares: tuple[float, ...] = SHARES
    batch: int = 64
    front: int = 12


EFFORTS: dict[str, Effort] = {
    "low": Effort(400, 150, (1.0, 0.5, 0.25, 0.125), front=8),
    "medium": Effort(1500, 400),
    "high": Effort(6000, 1500, (1.0, 0.75, 0.625, 0.5, 0.4375, 0.375, 0.3125, 0.25, 0.1875, 0.125, 0.0625)),
}


@dataclass(frozen=True)
class Recipe:
    """What all candidates share.

    base: the float Graph to start from, without a final softmax; lesson: what it learns from; alignment: of the
    device's kernels; layer_bits: layers whose weights keep a width of their own; frozen: layers that are neither
    trained nor narrowed; activation_bits: of all activations; on_epoch: told of every epoch of every candidate.
    """

    base: Graph
    lesson: Lesson
    effort: Effort
    alignment: int = 4
    criterion: Criterion = "l2"
    layer_bits: Mapping[str, Bits] = field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    activation_bits: ActivationBits = 8
    on_epoch: OnEpoch | None = None
    seed: int = 0

    def prune(self, candidate: Candidate) -> Graph:
        """The candidate's architecture with the weights that are left."""
        graph = drop_branches(self.base, candidate.dropped)
        if not self._is_pruned(candidate):
            return graph
        layers = {n.name for n in graph.nodes}
        widths = {n: w for n, w in candidate.layer_widths if n in layers} | whole_widths(graph, self.frozen)
        how = Prune(candidate.width, widths, self.criterion, self.alignment, seed=self.seed)
        return how(graph, self._examples())

    def _examples(self) -> Examples:
        """The first samples, with their labels where all of them are known."""
        known = self.lesson.goal == "classes" and self.lesson.labelled[:EXAMPLES].all()
        y = self.lesson.y[:EXAMPLES] if known and self.lesson.y is not None else None
        return Examples(self.lesson.x[:EXAMPLES], y)

    @staticmethod
    def _is_pruned(candidate: Candidate) -> bool:
        narrower = candidate.width < 1.0 or any(share < 1.0 for _, share in candidate.layer_widths)
        return narrower or bool(candidate.dropped)

    def planner(self, costs: Costs, softmax: Node | None) -> Planner:
        """What candidates would take by these costs, and what they would lose."""
        cost = prices(self.base, self.lesson.x, self.seed, self.lesson.goal)
        return Planner(
            Sketch(self.base, partial(self._integers, softmax), costs),
            cost,
            self.rules,
            self.effort.widths,
            BITS,
            self.effort.shares,
        )

    @property
    def rules(self) -> Rules:
        """What the search may not touch. Raises UserError where `layer_bits` or `frozen` name no layer."""
        frozen_nodes(self.base, self.layer_bits)
        kept = frozenset(whole_widths(self.base, self.frozen))
        whole: dict[str, Bits] = dict.fromkeys(self.frozen, 8)
        return Rules(self.alignment, fixed={**whole, **self.layer_bits}, kept=kept)

    def _integers(self, softmax: Node | None, folded: Graph) -> Graph:
        annotated = Quantize(activation_bits=self.activation_bits).annotate(folded, self._calibration())
        return freeze(with_softmax(annotated, softmax))

    def quantize(self, candidate: Candidate, graph: Graph) -> Graph:
        """A float Graph annotated with the candidate's bits."""
        folded = fold(graph)
        layers = {n.name for n in folded.nodes}
        wanted: dict[str, Bits] = {**dict(candidate.layer_bits), **self.layer_bits}
        bits: dict[str, Bits] = {n: b for n, b in wanted.items() if n in layers}
        how = Quantize(candidate.bits, bits, activation_bits=self.activation_bits)
        return how.annotate(folded, self._calibration())

    def __call__(self, candidate: Candidate, on_step: OnStep | None = None, share: float = 1.0) -> Graph:
        """The trained candidate, annotated; with a share of the whole training."""
        pruned = self.prune(candidate)
        return recover(
            pruned,
            partial(self.quantize, candidate),
            self.lesson,
            self._recovery(pruned, self._is_pruned(candidate), share),
            partial(self.tell, candidate, on_step),
        )

    def _recovery(self, pruned: Graph, narrower: bool, share: float) -> Recover:
        floats = self._length(self.effort.float_steps * share) if narrower else Length(0)
        integers = self._length(self.effort.integer_steps * share)
        return Recover.of(pruned, floats, integers, self.effort.batch, self.frozen, self.seed)

    def tell(self, candidate: Candidate, on_step: OnStep | None, epoch: Epoch) -> None:
        """Passes an epoch of a candidate on to whoever listens."""
        if on_step:
            on_step(epoch.phase, epoch.done, epoch.total, epoch.loss)
        if self.on_epoch:
            self.on_epoch(replace(epoch, model=candidate.name))

    def _length(self, steps: float) -> Length:
        """Of so many steps; more where a whole training in real numbers would not see every sample once."""
        there, batch = len(self.lesson.x), self.effort.batch
        stretched = max(1.0, there / (self.effort.float_steps * batch))
        return Length.of(steps * batch * stretched, there)

    def _calibration(self) -> np.ndarray:
        step = max(1, len(self.lesson.x) // CALIBRATION)
        return self.lesson.x[::step][:CALIBRATION]


def without_softmax(graph: Graph) -> tuple[Graph, Node | None]:
    """The Graph up to its logits, and the softmax that ended it, if one did."""
    last = graph.nodes[-1] if graph.nodes else None
    if last is None or not isinstance(last.op, Softmax) or graph.outputs != (last.output,):
        return graph, None
    body = replace(graph, outputs=(last.inputs[0],))
    return rebuild(body, graph.nodes[:-1]), last


def with_softmax(annotated: Graph, last: Node | None) -> Graph:
    """An annotated Graph with its softmax back."""
    if last is None:
        return annotated
    fixed = last.op.fixed_output()
    assert fixed is not None
    shape = annotated.type(annotated.outputs[0]).shape
    out = Tensor(last.output, TensorType(shape, "int8", (fixed[0],), fixed[1]))
    node = replace(last, inputs=annotated.outputs)
    tensors = {**annotated.tensors, out.name: out}
    return replace(annotated, tensors=tensors, nodes=(*annotated.nodes, node), outputs=(out.name,))

"""From a candidate (width, bits) to a trained network: prune, recover in floats, quantize, recover in integers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import ceil

import numpy as np

from pintsize.compress.allocate import Allocation, Sizes, allocate, prices
from pintsize.compress.importance import Criterion, Examples
from pintsize.compress.prune import Prune
from pintsize.compress.quantize import Bits, Quantize
from pintsize.compress.search import WIDTHS, Candidate
from pintsize.compress.train import Lesson, Train, train
from pintsize.errors import DataError
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.ops import BatchNorm, Softmax
from pintsize.passes.simplify import fold

#: called with (phase, epochs done, epochs in all, mean loss)
OnStep = Callable[[str, int, int, float], None]

#: samples that rank channels and calibrate ranges
EXAMPLES = 256
CALIBRATION = 512
LEARNING_RATE = 0.05
#: without batch norms the same steps would run away
LEARNING_RATE_UNNORMALIZED = 0.01
INTEGER_LEARNING_RATE = 1e-3
RETRIES = 2
#: sizes of the networks whose channels and bits are chosen together, as shares of all channels at 8 bits
SHARES = tuple(round(0.5 * 0.78**i, 4) for i in range(12))


@dataclass(frozen=True)
class Effort:
    """How long to look: optimizer steps per candidate in real numbers and in integers, and the widths to try.

    shares: sizes to choose channels and bits together for.
    """

    float_steps: int
    integer_steps: int
    widths: tuple[float, ...] = WIDTHS
    shares: tuple[float, ...] = SHARES
    batch: int = 64


EFFORTS: dict[str, Effort] = {
    "low": Effort(400, 150, (1.0, 0.5, 0.25, 0.125), SHARES[::2]),
    "medium": Effort(1500, 400),
    "high": Effort(6000, 1500, (1.0, 0.75, 0.625, 0.5, 0.4375, 0.375, 0.3125, 0.25, 0.1875, 0.125, 0.0625)),
}


@dataclass(frozen=True)
class Recipe:
    """What all candidates share.

    base: the float Graph to start from, without a final softmax; lesson: what it learns from; alignment: of the
    device's kernels; layer_bits: layers whose weights keep a width of their own.
    """

    base: Graph
    lesson: Lesson
    effort: Effort
    alignment: int = 4
    criterion: Criterion = "l2"
    layer_bits: Mapping[str, Bits] = field(default_factory=dict)
    seed: int = 0

    def prune(self, candidate: Candidate) -> Graph:
        """The candidate's architecture with the weights that are left."""
        if not self._is_pruned(candidate):
            return self.base
        how = Prune(
            candidate.width, dict(candidate.layer_widths), self.criterion, self.alignment, seed=self.seed
        )
        y = None if self.lesson.y is None else self.lesson.y[:EXAMPLES]
        return how(self.base, Examples(self.lesson.x[:EXAMPLES], y))

    @staticmethod
    def _is_pruned(candidate: Candidate) -> bool:
        return candidate.width < 1.0 or any(share < 1.0 for _, share in candidate.layer_widths)

    def joint_candidates(self) -> tuple[Candidate, ...]:
        """Channels and bits chosen together, for sizes between the largest and the smallest uniform network."""
        sizes = Sizes.of(self.base)
        if not sizes.groups or self.lesson.goal != "classes":
            return ()
        cost = prices(self.base, self.lesson.x, self.seed)
        full = sizes.bytes(sizes.full())
        found: dict[Allocation, Candidate] = {}
        for share in self.effort.shares:
            allocation = allocate(sizes, cost, full * share, self.alignment)
            if allocation is not None:
                found.setdefault(allocation, _joint_candidate(sizes, allocation))
        return tuple(found.values())

    def quantize(self, candidate: Candidate, graph: Graph) -> Graph:
        """A float Graph annotated with the candidate's bits."""
        bits: dict[str, Bits] = {**dict(candidate.layer_bits), **self.layer_bits}
        return Quantize(candidate.bits, bits).annotate(fold(graph), self._calibration())

    def __call__(self, candidate: Candidate, on_step: OnStep | None = None) -> Graph:
        """The trained candidate, annotated."""
        pruned = self.prune(candidate)
        recovered = self._recover(pruned, on_step) if self._is_pruned(candidate) else pruned
        annotated = self.quantize(candidate, recovered)
        how = Train(
            self._epochs(self.effort.integer_steps),
            INTEGER_LEARNING_RATE,
            self.effort.batch,
            seed=self.seed + 1,
        )
        return train(annotated, self.lesson, how, _named(on_step, "learning in integers"))

    def _recover(self, pruned: Graph, on_step: OnStep | None) -> Graph:
        """Float fine-tuning; a run that diverges starts again with a fifth of the learning rate."""
        normalized = any(isinstance(n.op, BatchNorm) for n in pruned.nodes)
        rate = LEARNING_RATE if normalized else LEARNING_RATE_UNNORMALIZED
        how = Train(self._epochs(self.effort.float_steps), rate, self.effort.batch, seed=self.seed)
        listener = _named(on_step, "learning from the teacher")
        for _ in range(RETRIES):
            try:
                return train(pruned, self.lesson, how, listener)
            except DataError:
                how = replace(how, learning_rate=how.learning_rate / 5)
        return train(pruned, self.lesson, how, listener)

    def _epochs(self, steps: int) -> int:
        return max(2, ceil(steps * self.effort.batch / max(1, len(self.lesson.x))))

    def _calibration(self) -> np.ndarray:
        step = max(1, len(self.lesson.x) // CALIBRATION)
        return self.lesson.x[::step][:CALIBRATION]


def _joint_candidate(sizes: Sizes, allocation: Allocation) -> Candidate:
    every = {name: len(group.channels) for name, group in sizes.groups.items()}
    widths = tuple((name, allocation.widths[name] / every[name]) for name in every)
    counts = Counter(allocation.bits.values())
    share = sum(allocation.widths.values()) / sum(every.values())
    title = f"joint {sizes.bytes(allocation) / 1000:.3g} kB"
    return Candidate(
        round(share, 3), max(counts, key=lambda b: counts[b]), widths, tuple(allocation.bits.items()), title
    )


def _named(on_step: OnStep | None, phase: str) -> Callable[[int, int, float], None] | None:
    return None if on_step is None else lambda done, total, loss: on_step(phase, done, total, loss)


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

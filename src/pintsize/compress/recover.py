"""Winning back what pruning and quantization cost: first in real numbers, then in the device's own integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil

from pintsize.compress.batch_statistics import reestimate
from pintsize.compress.epoch import OnEpoch
from pintsize.compress.lesson import Lesson
from pintsize.compress.train import Train, train
from pintsize.graph import Graph
from pintsize.ops import BatchNorm
from pintsize.passes.simplify import fold

LEARNING_RATE = 0.1
#: without batch norms the same steps would run away
LEARNING_RATE_UNNORMALIZED = 0.01
INTEGER_LEARNING_RATE = 2e-3


@dataclass(frozen=True)
class Length:
    """Of a training: epochs, and the samples of each where not all."""

    epochs: int
    samples: int | None = None

    @classmethod
    def of(cls, samples: float, there: int) -> Length:
        """To see so many samples in all, of those that are there."""
        if samples < there:
            return cls(1, max(1, ceil(samples)))
        return cls(max(1, ceil(samples / max(1, there))))


@dataclass(frozen=True)
class Recover:
    """How to recover: the two phases, either of which may have no epochs."""

    floats: Train
    integers: Train

    @classmethod
    def of(
        cls,
        pruned: Graph,
        in_floats: Length,
        in_integers: Length,
        batch: int = 64,
        frozen: tuple[str, ...] = (),
        seed: int = 0,
    ) -> Recover:
        """Rates as the network needs them; blends in real numbers alone: the short phase in integers has no time for
        them.
        """
        both = Train(batch=batch, frozen=frozen)
        floats = replace(both, epochs=in_floats.epochs, samples=in_floats.samples, learning_rate=learning_rate(pruned),
                         seed=seed)  # fmt: skip
        integers = replace(both, epochs=in_integers.epochs, samples=in_integers.samples, mixup=False,
                           learning_rate=INTEGER_LEARNING_RATE, seed=seed + 1)  # fmt: skip
        return cls(floats, integers)


def learning_rate(student: Graph) -> float:
    """Of the phase in real numbers."""
    normalized = any(isinstance(n.op, BatchNorm) for n in student.nodes)
    return LEARNING_RATE if normalized else LEARNING_RATE_UNNORMALIZED


def recover(
    pruned: Graph,
    quantize: Callable[[Graph], Graph],
    lesson: Lesson,
    how: Recover,
    on_step: OnEpoch | None = None,
) -> Graph:
    """The trained annotated Graph of a pruned float one.

    quantize: a float Graph → the annotated one, its ranges calibrated; on_step: told after every epoch of both phases.

    Raises UserError and DataError as `train` does.
    """
    learnt = pruned
    if how.floats.epochs:
        learnt = train(pruned, lesson, how.floats, on_step, "learning from the teacher")
    elif _parameters(fold(pruned)) < _parameters(lesson.teacher):
        learnt = reestimate(pruned, lesson.x)  # training would have measured them anew
    annotated = quantize(learnt)
    if not how.integers.epochs:
        return annotated
    return train(annotated, lesson, how.integers, on_step, "learning in integers")


def _parameters(graph: Graph) -> int:
    return sum(t.type.elements for t in graph.tensors.values() if t.is_constant)

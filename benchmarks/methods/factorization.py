"""Low-rank factors against narrower weights and narrower layers: what each takes on a Cortex-M4 and what it loses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, cast

import numpy as np

from pintsize.compress.factorize import Factorize
from pintsize.compress.lesson import Goal, Lesson, prepare
from pintsize.compress.prune import Prune
from pintsize.compress.quantize import Bits, Quantize, freeze
from pintsize.compress.recover import INTEGER_LEARNING_RATE, Recover, learning_rate, recover
from pintsize.compress.train import Train
from pintsize.devices import device
from pintsize.graph import Graph
from pintsize.measure import footprint
from pintsize.passes.simplify import fold
from pintsize.verify import input_codes, integer_outputs
from pintsize.write.c import write
from pintsize.write.c.calls import isa_of

DEVICE = device("stm32l4r5")
SAMPLES, BATCH = 512, 64

Change = Callable[[Graph], Graph]


@dataclass(frozen=True)
class Subject:
    """A trained network and what shows how well a smaller one does. x: (n, *input shape), channels last.

    score: outputs of x_test (n, outputs) → a figure; `unit` says which.
    """

    name: str
    graph: Graph
    x_train: np.ndarray
    y_train: np.ndarray | None
    x_test: np.ndarray
    goal: Goal
    score: Callable[[np.ndarray], float]
    unit: str

    @property
    def samples(self) -> np.ndarray:
        """Evenly picked training samples."""
        return self.x_train[:: max(1, len(self.x_train) // SAMPLES)][:SAMPLES]


@dataclass(frozen=True)
class Steps:
    """How long every variant learns from the whole network: optimizer steps in real numbers and in integers."""

    floats: int
    integers: int


@dataclass(frozen=True)
class Point:
    """One variant: constants in flash, RAM with stack and instructions of one run on the M4, its score."""

    name: str
    trained: bool
    weight_bytes: int
    ram_bytes: int
    instructions: int | None
    score: float


def variants(changes: Mapping[str, Change]) -> Iterator[tuple[str, Change, Bits]]:
    """(name, change of the float Graph, bits of the weights)."""
    for name, change in changes.items():
        for bits in (8, 4, 2) if name == "whole" else (8, 4):
            yield f"{name}, {bits} bits", change, cast(Bits, bits)


def changes(subject: Subject, kept: tuple[float, ...], widths: tuple[float, ...]) -> dict[str, Change]:
    """Nothing, narrower layers, and factors."""
    found: dict[str, Change] = {"whole": lambda graph: graph}
    found |= {f"{width:g} of the channels": Prune(width) for width in widths}
    found |= {f"factors, {k:g} kept": partial(_factors, Factorize(k), subject.samples) for k in kept}
    found["factors of the weights alone, 0.9 kept"] = Factorize(0.9)
    return found


def _factors(how: Factorize, samples: np.ndarray, graph: Graph) -> Graph:
    return how(graph, samples)


def compare(subject: Subject, changes: Mapping[str, Change], steps: Steps) -> list[dict[str, Any]]:
    """Every variant without training, and the same after learning from the whole network."""
    lesson = prepare(subject.graph, subject.x_train, subject.y_train, subject.goal, rounds=0)
    found: list[dict[str, Any]] = []
    for name, change, bits in variants(changes):
        smaller = change(subject.graph)
        integers = [(False, Quantize(bits)(fold(smaller), subject.samples))]
        if steps.floats:
            integers.append((True, _learnt(subject, lesson, smaller, bits, steps)))
        points = [_point(subject, name, trained, graph) for trained, graph in integers]
        found += [asdict(point) for point in points]
        print(f"{subject.name}: {name}, {points[0].weight_bytes:,} B, {points[0].instructions:,} instructions, "
            f"{subject.unit} {' then '.join(f'{p.score:.4f}' for p in points)}")  # fmt: skip
    return found


def _learnt(subject: Subject, lesson: Lesson, smaller: Graph, bits: Bits, steps: Steps) -> Graph:
    per_epoch = max(1, len(lesson.x) // BATCH)
    floats = max(1, round(steps.floats / per_epoch)) if smaller is not subject.graph else 0
    integers = max(1, round(steps.integers / per_epoch))
    how = Recover(
        Train(floats, learning_rate(smaller), BATCH),
        Train(integers, INTEGER_LEARNING_RATE, BATCH, seed=1),
    )
    return freeze(
        recover(smaller, lambda graph: Quantize(bits).annotate(fold(graph), subject.samples), lesson, how)
    )


def _point(subject: Subject, name: str, trained: bool, graph: Graph) -> Point:
    taken = footprint(write(graph, isa=isa_of(DEVICE.core)), DEVICE, input_codes(graph, subject.x_test[:1]))
    score = subject.score(integer_outputs(graph, subject.x_test))
    return Point(name, trained, taken.weight_bytes, taken.ram_bytes, taken.instructions, score)

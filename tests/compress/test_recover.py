"""Recovery: the phases in their order, and what they win back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from pintsize.compress.batch_statistics import reestimate
from pintsize.compress.epoch import Epoch
from pintsize.compress.lesson import Lesson, prepare
from pintsize.compress.prune import Prune
from pintsize.compress.quantize import Bits, Quantize, freeze
from pintsize.compress.recipe import Effort, Recipe
from pintsize.compress.recover import Length, Recover, learning_rate, recover
from pintsize.compress.search import Candidate
from pintsize.compress.train import Train
from pintsize.embedded import Embedded, digits
from pintsize.graph import Graph
from pintsize.module import run_float
from pintsize.ops import BatchNorm
from pintsize.passes.simplify import fold, simplify
from pintsize.read.torch_export import read
from pintsize.verify import float_outputs, integer_outputs


@pytest.fixture(scope="module")
def embedded() -> Embedded:
    return digits()


@pytest.fixture(scope="module")
def base(embedded: Embedded) -> Graph:
    return simplify(read(embedded.teacher, sample_shape=embedded.splits.sample_shape).graph)


@pytest.fixture(scope="module")
def lesson(embedded: Embedded, base: Graph) -> Lesson:
    part = embedded.splits.train
    return prepare(fold(base), channels_last(part.x), part.y, rounds=1)


def channels_last(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def quantizer(lesson: Lesson, bits: Bits = 4) -> Callable[[Graph], Graph]:
    return lambda graph: Quantize(bits).annotate(fold(graph), lesson.x[:256])


def right(embedded: Embedded, outputs: Callable[[np.ndarray], np.ndarray]) -> float:
    part = embedded.splits.validation
    return float((outputs(channels_last(part.x)).argmax(1) == part.y).mean())


def test_a_quarter_of_the_width_at_four_bits_is_won_back(
    embedded: Embedded, base: Graph, lesson: Lesson
) -> None:
    told: list[Epoch] = []
    pruned = Prune(0.25)(base)
    how = Recover(Train(6, learning_rate(pruned)), Train(2, 1e-3, seed=1))
    recovered = freeze(recover(pruned, quantizer(lesson), lesson, how, told.append))
    bare = freeze(recover(pruned, quantizer(lesson), lesson, Recover(Train(0), Train(0))))
    after, before = (right(embedded, partial(integer_outputs, g)) for g in (recovered, bare))
    teacher = right(embedded, partial(float_outputs, fold(base)))
    assert after > teacher - 0.05
    assert after > before
    assert [e.phase for e in told] == ["learning from the teacher"] * 6 + ["learning in integers"] * 2


def test_batch_statistics_are_those_of_the_samples(base: Graph, lesson: Lesson) -> None:
    pruned = Prune(0.5)(base)
    measured = reestimate(pruned, lesson.x)
    norm = next(n for n in measured.nodes if isinstance(n.op, BatchNorm))
    seen: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        run_float(measured, torch.from_numpy(lesson.x), seen.__setitem__)
    flat = seen[norm.inputs[0]].flatten(0, -2)
    np.testing.assert_allclose(measured.constant(norm.inputs[3]), flat.mean(0), atol=0.02)
    np.testing.assert_allclose(measured.constant(norm.inputs[4]), flat.var(0), rtol=0.05)
    away, near = (
        np.square(float_outputs(fold(g), lesson.x) - lesson.answers).mean() for g in (pruned, measured)
    )
    assert near < away


def test_a_graph_without_batch_norms_stays_as_it_is(base: Graph, lesson: Lesson) -> None:
    folded = fold(base)
    assert reestimate(folded, lesson.x) is folded


def test_frozen_layers_keep_width_and_weights_through_the_recipe(base: Graph, lesson: Lesson) -> None:
    frozen = next(n for n in base.nodes if n.op.name == "conv2d" and n.name != base.nodes[0].name)
    told: list[Epoch] = []
    recipe = Recipe(
        base, lesson, Effort(1, 1), frozen=(frozen.name,), layer_bits={frozen.name: 8}, on_epoch=told.append
    )
    candidate = Candidate(0.5, 4)
    pruned, trained = recipe.prune(candidate), recipe(candidate)
    weight = frozen.inputs[1]
    np.testing.assert_array_equal(pruned.constant(weight), base.constant(weight))
    assert trained.type(weight).dtype == "int8"
    narrower = [
        n.inputs[1]
        for n in base.nodes
        if n.op.name == "conv2d" and pruned.type(n.inputs[1]) != base.type(n.inputs[1])
    ]
    assert narrower
    assert weight not in narrower
    assert {e.model for e in told} == {candidate.name}


def test_the_recipe_takes_labels_that_are_known_in_part(base: Graph, lesson: Lesson) -> None:
    assert lesson.y is not None
    some = replace(lesson, y=np.where(np.arange(len(lesson.y)) % 2, lesson.y, -1))
    recipe = Recipe(base, some, Effort(1, 1), criterion="taylor")
    trained = recipe(Candidate(0.5, 4))
    assert all(np.isfinite(t.data).all() for t in trained.tensors.values() if t.data is not None)


@pytest.mark.parametrize(
    ("samples", "there", "expected"), [(640, 100, Length(7)), (100, 100, Length(1)), (30, 100, Length(1, 30))]
)
def test_less_than_an_epoch_is_an_epoch_of_fewer_samples(samples: int, there: int, expected: Length) -> None:
    assert Length.of(samples, there) == expected

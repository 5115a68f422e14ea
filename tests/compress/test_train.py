"""Fine-tuning: it learns, in integers too, and the same seed gives the same weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from pintsize.compress.prune import Prune
from pintsize.compress.quantize import Quantize, freeze
from pintsize.compress.train import Goal, Lesson, Train, prepare, train
from pintsize.errors import DataError, UserError
from pintsize.graph import Graph
from pintsize.passes.simplify import fold, simplify
from pintsize.read.torch_export import read
from pintsize.verify import accuracy, float_outputs, integer_outputs


def teacher_graph() -> Graph:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(16, 4),
    )  # fmt: skip
    with torch.no_grad():
        net[-1].weight.mul_(30.0)
        net[-1].bias.sub_(net.eval()(torch.randn(64, 1, 8, 8)).mean(0))
    return simplify(read(net.eval(), sample_shape=(1, 8, 8)).graph)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return teacher_graph()


@pytest.fixture(scope="module")
def lesson(graph: Graph) -> Lesson:
    x = np.random.default_rng(0).normal(size=(256, 8, 8, 1)).astype(np.float32)
    return prepare(fold(graph), x, None)


def agreement(lesson: Lesson, outputs: np.ndarray) -> float:
    return accuracy(outputs, None, float_outputs(lesson.teacher, lesson.x), "classes")


def spread(lesson: Lesson, outputs: np.ndarray, goal: Goal = "values") -> float:
    return accuracy(outputs, None, float_outputs(lesson.teacher, lesson.x), goal)


def test_a_pruned_student_learns_from_the_teacher_without_labels(graph: Graph, lesson: Lesson) -> None:
    pruned = Prune(0.5)(graph)
    learned = train(pruned, lesson, Train(epochs=20, learning_rate=0.02))
    before, after = (agreement(lesson, float_outputs(fold(g), lesson.x)) for g in (pruned, learned))
    assert after > before + 0.05


def test_training_in_integers_wins_back_what_two_bits_lose(graph: Graph, lesson: Lesson) -> None:
    annotated = Quantize(2).annotate(fold(graph), lesson.x)
    learned = train(annotated, lesson, Train(epochs=10, learning_rate=2e-3))
    before, after = (agreement(lesson, integer_outputs(freeze(g), lesson.x)) for g in (annotated, learned))
    assert after > before


def test_outputs_that_are_no_classes_are_learnt_as_values(graph: Graph, lesson: Lesson) -> None:
    values = replace(lesson, goal="values")
    annotated = Quantize(2).annotate(fold(graph), lesson.x)
    learned = train(annotated, values, Train(epochs=10, learning_rate=2e-3))
    before, after = (spread(lesson, integer_outputs(freeze(g), lesson.x)) for g in (annotated, learned))
    assert after > before


@pytest.mark.parametrize("features", [0.0, 1.0])
def test_the_same_seed_gives_the_same_weights(graph: Graph, lesson: Lesson, features: float) -> None:
    how = Train(epochs=2, feature_weight=features, seed=3)
    first, second = (train(Prune(0.5)(graph), lesson, how) for _ in range(2))
    other = train(Prune(0.5)(graph), lesson, replace(how, seed=4))
    pairs = [
        (t.data, second.tensors[n].data, other.tensors[n].data)
        for n, t in first.tensors.items()
        if t.is_constant
    ]
    assert all(np.array_equal(a, b) for a, b, _ in pairs)
    assert any(not np.array_equal(a, c) for a, _, c in pairs)


def test_progress_is_told_after_every_epoch(graph: Graph, lesson: Lesson) -> None:
    told: list[tuple[int, int]] = []
    train(graph, lesson, Train(epochs=3), lambda done, total, loss: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_loss_that_runs_away_is_an_error(graph: Graph, lesson: Lesson) -> None:
    with pytest.raises(DataError, match="learning rate"):
        train(fold(graph), lesson, Train(epochs=3, learning_rate=1e20))


@pytest.mark.parametrize(
    "wrong", [{"epochs": -1}, {"batch": 0}, {"learning_rate": 0.0}, {"label_weight": 2.0}]
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UserError):
        Train(**wrong)  # type: ignore[arg-type]

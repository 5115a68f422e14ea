"""What a student learns from: labels that fit, samples that nobody labelled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from pintsize.compress.lesson import answers_of, prepare
from pintsize.compress.losses import Batch, answer_loss
from pintsize.compress.train import Train, train
from pintsize.errors import DataError
from pintsize.graph import Graph
from pintsize.passes.simplify import fold
from pintsize.read.torch_export import read

CLASSES = 3


def linear_graph(seed: int = 0) -> Graph:
    torch.manual_seed(seed)
    return fold(read(nn.Sequential(nn.Linear(4, CLASSES)).eval(), sample_shape=(4,)).graph)


@pytest.fixture(scope="module")
def teacher() -> Graph:
    return linear_graph()


def samples(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)


def test_unlabelled_samples_are_answered_by_the_teacher(teacher: Graph) -> None:
    x, more = samples(8), samples(5, seed=1)
    lesson = prepare(teacher, x, np.zeros(8, np.int64), unlabelled=more)
    assert lesson.labelled.tolist() == [True] * 8 + [False] * 5
    np.testing.assert_array_equal(lesson.answers[8:], answers_of(teacher, more))


def test_more_samples_without_labels_make_a_better_student(teacher: Graph) -> None:
    x, far = samples(4), samples(400, seed=1)
    student, how = linear_graph(seed=1), Train(epochs=40, learning_rate=0.05, mixup=False)
    few = train(student, prepare(teacher, x, None, goal="values"), how)
    many = train(student, prepare(teacher, x, None, goal="values", unlabelled=far), how)
    wanted = answers_of(teacher, samples(200, seed=2))
    of_few, of_many = (np.square(answers_of(g, samples(200, seed=2)) - wanted).mean() for g in (few, many))
    assert of_many < 0.5 * of_few


def test_unknown_labels_weigh_nothing() -> None:
    output, answers = torch.randn(4, CLASSES), torch.randn(4, CLASSES)
    y = torch.tensor([0, -1, 2, -1])
    found = answer_loss(output, Batch(output, answers, y), "classes", 1.0, 1.0)
    wanted = torch.nn.functional.cross_entropy(output[[0, 2]], y[[0, 2]])
    assert float(found) == pytest.approx(float(wanted))
    without = answer_loss(output, Batch(output, answers, torch.full((4,), -1)), "classes", 1.0, 0.5)
    assert float(without) == pytest.approx(
        float(answer_loss(output, Batch(output, answers, None), "classes", 1.0, 0.5))
    )


def test_values_are_learnt_from_true_ones_where_they_are_known() -> None:
    output, answers = torch.zeros(4, 2), torch.ones(4, 2)
    y = torch.tensor([[1.0, 3.0], [float("nan"), 0.0], [3.0, 1.0], [2.0, 2.0]])
    found = answer_loss(output, Batch(output, answers, y), "values", 1.0, 1.0)
    rows = y[[0, 2, 3]]
    assert float(found) == pytest.approx(float(rows.square().mean() / rows.var()))


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (np.array([0, 1, 5, 7]), "5 \\(five\\), 7 match none of the model's 3 outputs"),
        (np.array([0, 1, -2, 1]), "-2 match none"),
        (np.array([0.5, 1.0, 0.0, 1.0]), "whole number"),
        (np.array([[0], [1], [2], [0]]), "whole number"),
    ],
)
def test_labels_that_do_not_match_the_classes_are_named(teacher: Graph, y: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=said):
        prepare(teacher, samples(4), y, labels=("a", "b", "c", "d", "e", "five"))
    with pytest.raises(DataError, match=said):
        prepare(
            teacher, samples(4), None, held_back=(samples(4), y), labels=("a", "b", "c", "d", "e", "five")
        )


def test_values_of_another_width_are_refused(teacher: Graph) -> None:
    with pytest.raises(DataError, match="3 values a sample"):
        prepare(teacher, samples(4), np.zeros((4, 2), np.float32), goal="values")


def test_a_broken_teacher_is_found_before_anything_is_learnt(teacher: Graph) -> None:
    weight = teacher.tensors[teacher.nodes[0].inputs[1]]
    broken = teacher.with_tensors(replace(weight, data=np.full_like(teacher.constant(weight.name), np.inf)))
    with pytest.raises(DataError, match="answer to sample 0 is no number"):
        prepare(broken, samples(4), None)


def test_unlabelled_samples_of_another_shape_are_refused(teacher: Graph) -> None:
    with pytest.raises(DataError, match=r"\(5,\), the others \(4,\)"):
        prepare(teacher, samples(4), None, unlabelled=np.zeros((2, 5), np.float32))

"""Fine-tuning: it learns, in integers too, and the same seed gives the same weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from pintsize.compress.epoch import Epoch
from pintsize.compress.lesson import Goal, Lesson, prepare
from pintsize.compress.losses import Batch, answer_loss
from pintsize.compress.prune import Prune
from pintsize.compress.quantize import Quantize, freeze
from pintsize.compress.train import Train, train
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
    told: list[Epoch] = []
    train(graph, lesson, Train(epochs=3), told.append, "warming up")
    assert [(e.phase, e.done, e.total) for e in told] == [("warming up", n, 3) for n in (1, 2, 3)]
    assert told[-1].learning_rate < told[0].learning_rate
    assert set(told[-1].figures) == {"loss", "learning_rate"}


def test_an_epoch_may_be_of_fewer_samples(graph: Graph, lesson: Lesson) -> None:
    seen: list[int] = []

    def counted(output: torch.Tensor, answers: torch.Tensor, y: torch.Tensor | None) -> torch.Tensor:
        seen.append(len(output))
        return ((output - answers) ** 2).mean()

    how = Train(epochs=2, batch=16, samples=40, learning_rate=0.001)
    train(graph, replace(lesson, loss=counted), how)
    assert seen == [16, 16, 8] * 2


def test_a_loss_that_runs_away_at_every_rate_is_an_error(graph: Graph, lesson: Lesson) -> None:
    with pytest.raises(DataError, match="learning rate"):
        train(fold(graph), lesson, Train(epochs=2, learning_rate=1e30))


def test_weights_that_run_away_in_an_epochs_last_step_are_taken_back(graph: Graph, lesson: Lesson) -> None:
    one_batch = Train(epochs=3, batch=256, learning_rate=1e9, warm_up=0.0, mixup=False, retries=16)
    learned = train(fold(graph), lesson, one_batch)
    assert np.isfinite(float_outputs(learned, lesson.x)).all()


def test_a_loss_that_is_no_number_is_caught_and_training_goes_on_slower(graph: Graph, lesson: Lesson) -> None:
    calls: list[int] = []

    def broken_once(student: torch.Tensor, teacher: torch.Tensor, y: torch.Tensor | None) -> torch.Tensor:
        calls.append(len(student))
        loss = (student - teacher).square().mean()
        return loss * float("nan") if len(calls) == 6 else loss

    told: list[Epoch] = []
    how = Train(epochs=3, learning_rate=0.01, warm_up=0.0)
    learned = train(graph, replace(lesson, loss=broken_once), how, told.append)
    assert [e.done for e in told] == [1, 2, 3]
    assert all(np.isfinite(e.loss) for e in told)
    assert told[1].learning_rate < 0.25 * told[0].learning_rate
    assert all(np.isfinite(t.data).all() for t in learned.tensors.values() if t.data is not None)


def test_a_custom_loss_that_never_is_a_number_is_named(graph: Graph, lesson: Lesson) -> None:
    custom = replace(lesson, loss=lambda student, teacher, y: student.sum() * float("nan"))
    with pytest.raises(DataError, match="custom loss"):
        train(graph, custom, Train(epochs=1, retries=1))


def test_a_custom_loss_replaces_the_own_one(graph: Graph, lesson: Lesson) -> None:
    shrinking = replace(lesson, loss=lambda student, teacher, y: student.square().mean())
    learned = train(fold(graph), shrinking, Train(epochs=5, learning_rate=0.01))
    before, after = (np.square(float_outputs(g, lesson.x)).mean() for g in (fold(graph), learned))
    assert after < 0.8 * before


def test_a_custom_loss_must_give_one_number(graph: Graph, lesson: Lesson) -> None:
    rows = replace(lesson, loss=lambda student, teacher, y: (student - teacher).square().mean(1))
    with pytest.raises(UserError, match="0-d"):
        train(graph, rows, Train(epochs=1))


def test_the_best_state_on_what_is_held_back_is_the_result(graph: Graph) -> None:
    x = np.random.default_rng(1).normal(size=(128, 8, 8, 1)).astype(np.float32)
    lesson = prepare(
        fold(graph), x, None, held_back=(x[:64], None), metric=lambda outputs, y: -float(outputs.std())
    )
    assert lesson.held_back is not None
    moved = replace(lesson, answers=-lesson.answers)  # what is learnt leads away from what is held back
    told: list[Epoch] = []
    how = Train(epochs=9, learning_rate=0.02, patience=2, mixup=False)
    learned = train(graph, moved, how, told.append)
    losses = [e.held_back_loss for e in told if e.held_back_loss is not None]
    assert len(losses) == len(told) < 9
    assert int(np.argmin(losses)) == len(told) - 3
    assert told[0].metric is not None
    held = torch.from_numpy(lesson.held_back.answers)
    kept = torch.from_numpy(float_outputs(learned, x[:64]))
    loss = float(answer_loss(kept, Batch(kept, held, None), "classes", how.temperature, how.label_weight))
    assert loss == pytest.approx(min(losses), rel=1e-4)


@pytest.mark.parametrize("integers", [False, True])
def test_frozen_layers_do_not_learn(graph: Graph, lesson: Lesson, integers: bool) -> None:
    frozen = graph.nodes[0]
    student = Quantize(4).annotate(fold(graph), lesson.x) if integers else graph
    learned = train(student, lesson, Train(epochs=1, frozen=(frozen.name,)))
    behind = {n.name for n in graph.consumers(frozen.output)}
    held = {c for n in student.nodes if n.name in {frozen.name, *behind} for c in student.constants(n)}
    moved = {
        n
        for n, t in student.tensors.items()
        if t.data is not None and not np.array_equal(t.data, learned.constant(n))
    }
    assert held
    assert moved
    assert not held & moved
    assert all(learned.type(n) == student.type(n) for n in held)


def test_a_frozen_layer_that_is_not_there_is_named(graph: Graph, lesson: Lesson) -> None:
    with pytest.raises(UserError, match="nowhere"):
        train(graph, lesson, Train(epochs=1, frozen=("nowhere",)))


def test_a_student_of_another_output_shape_is_refused(lesson: Lesson) -> None:
    other = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    student = simplify(read(other.eval(), sample_shape=(1, 8, 8)).graph)
    with pytest.raises(UserError, match=r"gives \(3,\) and its teacher \(4,\)"):
        train(student, lesson, Train(epochs=1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": -1},
        {"batch": 0},
        {"learning_rate": 0.0},
        {"label_weight": 2.0},
        {"patience": 0},
        {"retries": -1},
        {"samples": 0},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UserError):
        Train(**wrong)  # type: ignore[arg-type]

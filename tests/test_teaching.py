"""A student of the user's own: another teacher, unlabelled samples, frozen layers, a loss and a metric."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import pintsize
from pintsize.compress.epoch import Epoch
from pintsize.compress.recipe import EFFORTS, Effort
from pintsize.embedded import Embedded, digits
from pintsize.errors import UserError

BUDGET = pintsize.Budget(flash="24kB", max_drop="15%")


@pytest.fixture(scope="module")
def example() -> Embedded:
    EFFORTS["test"] = Effort(120, 40, (0.5, 0.25))
    return digits()


class Student(nn.Module):
    """Half of what the teacher is, with no weights that mean anything yet."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.one = nn.Conv2d(1, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.two = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.classify = nn.Linear(16 * 16, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm(self.one(x)))
        return self.classify(torch.flatten(torch.relu(self.two(x)), 1))


def student() -> Student:
    torch.manual_seed(1)
    return Student().eval()


def shrink(
    model: nn.Module, example: Embedded, teaching: pintsize.Teaching, **options: Any
) -> pintsize.Report:
    settings = {"device": "stm32l4r5", "budget": BUDGET, "effort": "test", "cores": ("host",), **options}
    return pintsize.shrink(model, example.splits, teaching=teaching, **settings)


@pytest.mark.long
def test_an_untrained_student_learns_from_another_teacher_and_from_samples_without_labels(
    example: Embedded, tmp_path: Path
) -> None:
    extra = example.splits.train.x[:200] + 0.05
    np.savez(tmp_path / "extra.npz", x=extra)
    teaching = pintsize.Teaching(teacher=example.teacher, unlabelled=tmp_path / "extra.npz")
    report = shrink(student(), example, teaching)
    test = report.data["accuracy"][-1]
    assert test["teacher"] > 0.95
    assert test["integers"] > 0.8
    assert report.mismatches == 0
    assert report.data["name"] == "Student"


@pytest.mark.long
def test_frozen_layers_loss_metric_and_callback_are_used(example: Embedded) -> None:
    epochs: list[Epoch] = []
    calls: list[int] = []

    def loss(own: torch.Tensor, teacher: torch.Tensor, y: torch.Tensor | None) -> torch.Tensor:
        calls.append(len(own))
        return F.mse_loss(own, teacher)

    def half_right(outputs: np.ndarray, y: np.ndarray | None) -> float:
        return 0.5 * float((outputs.argmax(1) == y).mean())

    first = next(n for n, m in example.teacher.named_modules() if isinstance(m, nn.Conv2d))
    layer = next(n.name for n in pintsize.read_torch(example.teacher, sample_shape=(1, 8, 8)).graph.nodes
                 if n.op.name == "conv2d")  # fmt: skip
    assert first
    teaching = pintsize.Teaching(frozen=(layer,), loss=loss, metric=half_right, on_epoch=epochs.append)
    report = shrink(example.teacher, example, teaching)
    assert calls
    assert {e.model for e in epochs}
    assert all(e.metric is not None and e.metric <= 0.5 for e in epochs)
    assert report.data["accuracy"][0]["teacher"] <= 0.5
    kept = next(n for n in report.graph.nodes if n.name == layer)
    whole = next(m for m in example.teacher.modules() if isinstance(m, nn.Conv2d))
    assert report.graph.type(kept.output).shape[-1] == whole.out_channels


def test_a_student_of_another_shape_is_refused_before_any_training(example: Embedded) -> None:
    with pytest.raises(UserError, match="cannot learn from it"):
        shrink(Student(classes=7).eval(), example, pintsize.Teaching(teacher=example.teacher), goal="values")


def test_an_unknown_frozen_layer_is_named_with_those_there(example: Embedded) -> None:
    with pytest.raises(UserError, match=r"no layer with weights is named \['nothing'\]"):
        shrink(example.teacher, example, pintsize.Teaching(frozen=("nothing",)))

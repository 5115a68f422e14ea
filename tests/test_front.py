"""The whole trade-off, each model ready to ship; and what is said before time is spent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import pintsize
from pintsize.artifact import read_report, verify_folder
from pintsize.compress.recipe import EFFORTS, Effort
from pintsize.compress.trial import Trial
from pintsize.embedded import DigitsNet, Embedded, digits
from pintsize.errors import BudgetNotMet, DataError


@pytest.fixture(scope="module")
def example() -> Embedded:
    return digits()


@pytest.fixture(scope="module", autouse=True)
def quick() -> None:
    EFFORTS["front"] = Effort(60, 20, (0.5,), (0.3, 0.1), front=3)


def shrink(example: Embedded, **options: object) -> pintsize.Report:
    settings = {"device": "stm32l4r5", "effort": "front", "cores": ("host",), **options}
    return pintsize.shrink(example.teacher, example.splits, **settings)  # type: ignore[arg-type]


def test_every_model_of_the_trade_off_ships(example: Embedded, tmp_path: Path) -> None:
    report = shrink(example, budget=pintsize.Budget(max_drop="5%"), front=True, out=tmp_path / "out")
    rows = report.data["front"]
    assert 2 <= len(rows) == len(report.front) <= 7
    flash = [row["flash_bytes"] for row in rows]
    accuracy = [row["accuracy"]["validation"] for row in rows]
    assert flash == sorted(flash)
    assert accuracy == sorted(accuracy)
    for row, member in zip(rows, report.front, strict=True):
        folder = tmp_path / "out" / row["folder"]
        assert verify_folder(folder, ("host",))[0].mismatches == 0
        assert read_report(folder)["figures"][0]["value"] == row["flash_bytes"]
        assert {check["core"] for check in member.data["verification"]} == {"host", "cortex-m4"}
        assert row["mismatches"] == 0
    assert report.figure("flash_bytes") in flash


class Stop(Exception):
    """Before any training."""


class Notes(pintsize.Watcher):
    """What is said before the teacher is asked."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)

    def stage(self, title: str) -> None:
        if title == "Asking the teacher":
            raise Stop


def said(teacher: object, example: Embedded, **options: object) -> list[str]:
    notes = Notes()
    with pytest.raises(Stop):
        pintsize.shrink(teacher, example.splits, device="stm32l4r5", watcher=notes, **options)  # type: ignore[arg-type]
    return notes.texts


def test_a_teacher_no_better_than_chance_is_said_before_the_search(example: Embedded) -> None:
    (text,) = said(DigitsNet().eval(), example)
    assert "no better than chance" in text
    assert said(example.teacher, example) == []


def test_a_drop_that_leaves_nothing_is_said_before_the_search(example: Embedded) -> None:
    (text,) = said(example.teacher, example, budget=pintsize.Budget(max_drop="95%"))
    assert "leaves no more than" in text


class Trained(pintsize.Watcher):
    """Which candidates were trained."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def trial(self, trial: Trial) -> None:
        if trial.accuracy is not None:
            self.names.append(trial.candidate.name)


@pytest.mark.parametrize(
    ("budget", "named"),
    [
        (pintsize.Budget(flash="2kB"), "flash"),
        (pintsize.Budget(ram="300", max_drop="5%"), "RAM"),
        (pintsize.Budget(latency="1us", flash="100kB"), "latency"),
    ],
)
def test_a_budget_that_nothing_meets_is_refused_before_training(
    example: Embedded, budget: pintsize.Budget, named: str
) -> None:
    trained = Trained()
    with pytest.raises(BudgetNotMet, match=named):
        shrink(example, budget=budget, watcher=trained)
    assert trained.names == []


def test_a_single_sample_is_refused(example: Embedded) -> None:
    train = example.splits.train
    one = np.zeros(1, int)
    with pytest.raises(DataError):
        pintsize.shrink(example.teacher, (train.x[:1], train.y[:1][one]), device="stm32l4r5")  # type: ignore[index]


class Faint(nn.Module):
    """Looks at its second input alone, which is small beside the first."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2, 2)
        with torch.no_grad():
            self.fc.weight.copy_(torch.tensor([[0.0, 20.0], [0.0, -20.0]]))
            self.fc.bias.zero_()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x)


def test_activations_get_16_bits_where_8_do_not_do() -> None:
    rng = np.random.default_rng(0)
    x = np.stack([rng.uniform(-100, 100, 400), rng.uniform(-0.3, 0.3, 400)], 1).astype(np.float32)
    y = (x[:, 1] < 0).astype(np.int64)
    notes = Notes()
    notes.stage = lambda title: None
    report = pintsize.shrink(Faint().eval(), (x, y), device="stm32l4r5", budget=pintsize.Budget(max_drop="5%"),
                             effort="front", cores=("host",), watcher=notes)  # type: ignore[arg-type]  # fmt: skip
    assert "no network with activations of 8 bits holds the accuracy: trying 16" in notes.texts
    assert report.graph.type(report.graph.inputs[0]).dtype == "int16"
    assert report.data["accuracy"][0]["integers"] > 0.95
    with pytest.raises(BudgetNotMet):
        pintsize.shrink(Faint().eval(), (x, y), device="stm32l4r5", budget=pintsize.Budget(max_drop="5%"),
                        effort="front", cores=("host",), activation_bits=8)  # type: ignore[arg-type]  # fmt: skip

"""Quantizing without training, whole: a proven folder, or a message that says what would help."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from torch import nn

import pintsize
from pintsize.artifact import verify_folder
from pintsize.budget import Budget
from pintsize.errors import BudgetNotMet, DataError, UserError
from pintsize.progress import Watcher
from pintsize.report.report import Report


class Notes(Watcher):
    """Keeps what the user is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def note(self, text: str) -> None:
        self.told.append(text)


def network(classes: int = 3) -> nn.Module:
    import torch

    torch.manual_seed(0)
    layers = [
        nn.Conv2d(2, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU6(), nn.Conv2d(8, 16, 3, 2), nn.BatchNorm2d(16),
        nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, classes),
    ]  # fmt: skip
    return nn.Sequential(*layers).eval()


def pictures(count: int = 96) -> np.ndarray:
    draw = np.random.default_rng(0)
    return (draw.normal(0, 1, (count, 2, 8, 8)) + draw.normal(0, 1, (count, 2, 1, 1))).astype(np.float32)


def quantized(samples: object = None, **options: object) -> Report:
    given = {"device": "stm32l4r5", "bits": 8, **options}
    return pintsize.quantize(network(), pictures() if samples is None else samples, **given)  # type: ignore[arg-type]


@pytest.mark.long
def test_the_folder_is_proven_and_the_same_each_time(tmp_path: Path) -> None:
    report = quantized(bits=4, out=tmp_path / "one")
    assert [(row["core"], row["mismatches"]) for row in report.data["verification"]] == [
        ("host", 0),
        ("cortex-m4", 0),
    ]
    assert report.met
    assert [c.mismatches for c in verify_folder(tmp_path / "one", ("host",))] == [0]
    quantized(bits=4, out=tmp_path / "two")
    for file in sorted((tmp_path / "one").iterdir()):
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes(), file.name


@pytest.mark.long
def test_a_flash_budget_is_kept_with_widths_of_their_own() -> None:
    whole = quantized().figure("flash_bytes")
    assert whole is not None
    report = quantized(bits="auto", budget=Budget(flash=int(whole) - 300))
    assert report.met
    assert (report.figure("flash_bytes") or 0) <= whole - 300
    assert len(report.data["candidates"]) > 2
    assert min(row["bits"] for row in report.data["layers"] if row["bits"]) < 8


def test_what_fits_nowhere_is_said_with_the_nearest() -> None:
    with pytest.raises(BudgetNotMet, match=r"nearest is .* B flash.*each layer have its own width"):
        quantized(budget=Budget(flash="1kB"))


def test_one_sample_is_warned_of() -> None:
    notes = Notes()
    quantized(pictures(1), watcher=notes)
    assert any("one sample only" in text for text in notes.told)
    assert any("flattering" in text for text in notes.told)


def test_labels_that_do_not_match_are_refused() -> None:
    with pytest.raises(DataError, match="labels run from 0 to 4, but the model has 3 outputs"):
        quantized((pictures(), np.arange(96) % 5))


def test_labels_of_one_class_are_left_aside() -> None:
    notes = Notes()
    report = quantized((pictures(), np.ones(96, int)), watcher=notes)
    assert any("one class" in text for text in notes.told)
    assert report.data["accuracy"][0]["teacher"] == 1.0  # it agrees with itself


def test_labels_are_what_counts_where_they_are() -> None:
    report = quantized((pictures(), np.arange(96) % 3))
    assert report.data["accuracy"][0]["teacher"] < 0.9
    assert report.data["accuracy"][0]["samples"] == 24


def test_activations_of_16_bits_are_proven_too() -> None:
    report = quantized(activation_bits=16)
    assert report.graph.type(report.graph.inputs[0]).dtype == "int16"
    assert report.mismatches == 0


def test_without_samples_inputs_are_made() -> None:
    notes = Notes()
    report = pintsize.quantize(network(), device="stm32l4r5", bits=8, sample_shape=(2, 8, 8), watcher=notes)
    assert report.mismatches == 0
    assert any("no samples were given" in text for text in notes.told)


def test_without_samples_and_shape_it_says_what_is_missing() -> None:
    with pytest.raises(UserError, match="the shape of one input must be given"):
        pintsize.quantize(network(), device="stm32l4r5")


@pytest.mark.parametrize(("options", "message"), [({"bits": 3}, "bits may be 8, 4, 2 or auto"),
                                                  ({"activation_bits": 4}, r"activations may have \[8, 16\] bits"),
                                                  ({"device": "stm32f999"}, "stm32f999")])  # fmt: skip
def test_options_are_checked_at_once(options: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        quantized(**options)

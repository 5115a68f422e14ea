"""The shipped folder of a piece: small, proven, the same on every run, with its facts in it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pintsize import Graph, Quantize, read_torch
from pintsize.apps.shipping import CARD, GOLDEN_VECTORS, KEPT, ship
from pintsize.apps.stages import shipped_energy
from pintsize.errors import UserError, VerificationError
from pintsize.stream.artifact import load
from pintsize.stream.decision import Calibration
from pintsize.stream.manifest import checked

FACTS = {"thresholds": {"on": 0.7}}


@pytest.fixture(scope="module")
def graph() -> Graph:
    torch.manual_seed(0)
    x = np.random.default_rng(0).normal(size=(32, 1, 12)).astype(np.float32)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3))
    read = read_torch(model.eval(), (12,)).graph
    return replace(Quantize()(read, x[:, 0]), name="tiny", labels=("a", "b", "c"))


def shipped_to(graph: Graph, folder: Path) -> dict[str, Any]:
    return ship(
        graph, folder, calibration=Calibration(1.5), facts=FACTS, figures={"validation": 0.9},
        extra={"words.json": b"[]"}, card="# Tiny\n",
    )  # fmt: skip


@pytest.fixture(scope="module")
def shipped(graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shipped") / "tiny"
    shipped_to(graph, folder)
    return folder


def test_it_holds_what_running_and_writing_it_needs(shipped: Path) -> None:
    assert {path.name for path in shipped.iterdir()} == {*KEPT, "manifest.json", CARD, "words.json"}
    artifact = load(shipped)
    assert (artifact.labels, artifact.manifest.calibration) == (("a", "b", "c"), Calibration(1.5))
    assert artifact.manifest.content["thresholds"] == FACTS["thresholds"]
    assert checked(shipped, artifact.manifest, "words.json") == b"[]"
    with np.load(shipped / "golden.npz") as golden:
        assert len(golden["inputs"]) == len(golden["outputs"]) == GOLDEN_VECTORS


def test_its_figures_say_where_they_come_from(shipped: Path) -> None:
    manifest = load(shipped).manifest
    figures = manifest.content["figures"]
    assert figures["validation"] == 0.9
    assert figures["flash_bytes"] > 39
    assert figures["flash_device"] == "stm32l4r5"
    assert "flash_bytes" in figures["measured"]
    mj, device = shipped_energy(manifest)
    assert device == "nrf52840"
    assert mj is not None
    assert 0 < mj < 0.1


def test_it_is_the_same_again_and_keeps_the_card(shipped: Path, graph: Graph, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    (again / "manifest.json").write_text("{}")
    (again / CARD).write_text("# Kept\n")
    ship(graph, again, calibration=Calibration(1.5), facts=FACTS, figures={"validation": 0.9},
         extra={"words.json": b"[]"})  # fmt: skip
    for path in shipped.iterdir():
        if path.name != CARD:
            assert (again / path.name).read_bytes() == path.read_bytes(), path.name
    assert (again / CARD).read_text() == "# Kept\n"


def test_a_changed_file_is_known(shipped: Path, tmp_path: Path) -> None:
    for path in shipped.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    for name, wanted in manifest["sha256"].items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == wanted
    (tmp_path / "golden.npz").write_bytes(b"other")
    with pytest.raises(VerificationError, match=r"golden\.npz was changed"):
        load(tmp_path)


@pytest.mark.parametrize("facts", [{"labels": []}, {"figures": {}}, {"calibration": {}}])
def test_facts_hide_nothing(facts: dict[str, object], graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="choose others"):
        ship(graph, tmp_path / "out", facts=facts)

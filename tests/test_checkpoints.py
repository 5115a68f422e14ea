"""What a run has finished is found again by the same run only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pintsize.checkpoints import Checkpoints
from pintsize.graph import Graph
from tests.examples import example_integers, examples

FINGERPRINT = "0123456789abcdef" * 4


@pytest.fixture
def graph() -> Graph:
    return example_integers(examples()["linear_0"])


def same_weights(a: Graph, b: Graph | None) -> bool:
    names = [t.name for t in a.tensors.values() if t.is_constant]
    return b is not None and all(np.array_equal(a.constant(n), b.constant(n)) for n in names)


def test_what_was_put_is_there_after_a_restart(tmp_path: Path, graph: Graph) -> None:
    Checkpoints.beside(tmp_path / "out", FINGERPRINT).put("width 0.5, 8 bit", graph)
    again = Checkpoints.beside(str(tmp_path / "out"), FINGERPRINT)
    assert same_weights(graph, again.get("width 0.5, 8 bit"))
    assert again.get("width 0.25, 8 bit") is None
    assert [p.name for p in tmp_path.iterdir()] == ["out.partial"]


def test_names_that_differ_are_kept_apart(tmp_path: Path, graph: Graph) -> None:
    checkpoints = Checkpoints.beside(tmp_path / "out", FINGERPRINT)
    checkpoints.put("width 0.5, 8 bit", graph)
    assert checkpoints.get("width 0.5, 4 bit") is None
    assert checkpoints.get("width 0.25, 8 bit") is None


def test_another_runs_checkpoints_are_not_taken(tmp_path: Path, graph: Graph) -> None:
    Checkpoints.beside(tmp_path / "out", FINGERPRINT).put("width 1, 8 bit", graph)
    assert Checkpoints.beside(tmp_path / "out", FINGERPRINT[::-1]).get("width 1, 8 bit") is None


def test_a_damaged_one_counts_as_none(tmp_path: Path, graph: Graph) -> None:
    checkpoints = Checkpoints.beside(tmp_path / "out", FINGERPRINT)
    checkpoints.put("width 1, 8 bit", graph)
    (weights,) = tmp_path.rglob("weights.npz")
    weights.write_bytes(weights.read_bytes()[:-30])
    assert checkpoints.get("width 1, 8 bit") is None
    checkpoints.put("width 1, 8 bit", graph)
    assert same_weights(graph, checkpoints.get("width 1, 8 bit"))


def test_a_finished_run_leaves_nothing(tmp_path: Path, graph: Graph) -> None:
    checkpoints = Checkpoints.beside(tmp_path / "out", FINGERPRINT)
    checkpoints.put("width 1, 8 bit", graph)
    checkpoints.clear()
    assert list(tmp_path.iterdir()) == []


def test_without_an_output_folder_nothing_is_kept(graph: Graph) -> None:
    checkpoints = Checkpoints.beside(None, FINGERPRINT)
    checkpoints.put("width 1, 8 bit", graph)
    assert checkpoints.get("width 1, 8 bit") is None
    checkpoints.clear()

"""Candidates trained in other processes: the same Graph, every epoch told, nothing left running."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from pintsize import apart
from pintsize.apart import Workers, trainer
from pintsize.compress.candidate import Candidate
from pintsize.compress.epoch import Epoch
from pintsize.compress.lesson import prepare
from pintsize.compress.recipe import Effort, Recipe
from pintsize.errors import DataError, ToolError
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.ops import Linear, Relu
from tests.examples import constant

CANDIDATE = Candidate(0.5, 4)


def network() -> Graph:
    rng = np.random.default_rng(0)
    constants = {
        "a.w": constant("a.w", rng.normal(0, 0.4, (16, 6))),
        "a.b": constant("a.b", rng.normal(0, 0.1, 16)),
        "b.w": constant("b.w", rng.normal(0, 0.4, (3, 16))),
        "b.b": constant("b.b", rng.normal(0, 0.1, 3)),
    }
    nodes = [
        Node("a", Linear(), ("x", "a.w", "a.b"), "h"),
        Node("relu", Relu(), ("h",), "r"),
        Node("b", Linear(), ("r", "b.w", "b.b"), "y"),
    ]
    graph = Graph("small", {"x": Tensor("x", TensorType((6,)))}, (), ("x",), ("y",))
    return rebuild(graph, nodes, constants)


def recipe() -> Recipe:
    x = np.random.default_rng(1).normal(0, 1, (128, 6)).astype(np.float32)
    return Recipe(network(), prepare(network(), x, None, rounds=1), Effort(8, 4))


@pytest.fixture
def workers() -> Iterator[Workers]:
    found = Workers(recipe())
    yield found
    found.close()


def same(a: Graph, b: Graph) -> bool:
    constants = [t.name for t in a.tensors.values() if t.is_constant]
    return {t.name: t.type for t in a.tensors.values()} == {
        t.name: t.type for t in b.tensors.values()
    } and all(np.array_equal(a.constant(n), b.constant(n)) for n in constants)


def test_the_graph_is_the_same_and_every_epoch_is_told(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Epoch] = []
    workers.recipe = replace(workers.recipe, on_epoch=told.append)
    steps: list[tuple[str, int, int]] = []
    with caplog.at_level(logging.INFO, "pintsize"):
        found = workers(CANDIDATE, lambda *step: steps.append(step[:3]), 1.0)
    here: list[tuple[str, int, int]] = []
    assert same(found, recipe()(CANDIDATE, lambda *step: here.append(step[:3])))
    assert steps == here
    assert len(here) > 2
    assert {e.model for e in told} == {CANDIDATE.name}
    assert sum(CANDIDATE.name in r.getMessage() for r in caplog.records) == len(steps)


def test_a_worker_takes_one_candidate_after_the_other(workers: Workers) -> None:
    first, second = (workers(replace(CANDIDATE, width=w), lambda *_: None, 0.5) for w in (0.5, 1.0))
    assert workers.idle.qsize() == 1
    assert not same(first, second)


def test_what_the_listener_raises_ends_the_worker(workers: Workers) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        workers(CANDIDATE, stop, 1.0)
    assert workers.idle.empty()


def test_errors_come_back_as_they_were(workers: Workers) -> None:
    broken = replace(workers.recipe.lesson, answers=workers.recipe.lesson.answers * np.nan)
    workers.recipe = replace(workers.recipe, lesson=broken)
    with pytest.raises(DataError, match="the loss became nan"):
        workers(CANDIDATE, lambda *_: None, 1.0)


@pytest.mark.parametrize("deaths", [1, 2])
def test_a_worker_that_dies_is_replaced_once(
    workers: Workers, deaths: int, caplog: pytest.LogCaptureFixture
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Watched(Workers):
        def _worker(self) -> subprocess.Popen[bytes]:
            started.append(super()._worker())
            if len(started) <= deaths:
                started[-1].kill()
                started[-1].wait()
            return started[-1]

    watched = Watched(workers.recipe)
    if deaths == 1:
        found = watched(CANDIDATE, lambda *_: None, 1.0)
        assert same(found, recipe()(CANDIDATE))
        assert "Once more" in caplog.text
    else:
        with pytest.raises(ToolError, match="is there enough memory"):
            watched(CANDIDATE, lambda *_: None, 1.0)
    assert len(started) == 2
    watched.close()


def test_short_trainings_and_functions_of_the_users_stay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    with trainer(recipe()) as train:
        assert isinstance(train, Recipe)
    monkeypatch.setattr(apart, "WORTH_MACS", 1.0)
    with trainer(recipe()) as train:
        assert isinstance(train, Workers)
    own = replace(recipe(), lesson=replace(recipe().lesson, loss=lambda output, answers, y: output.mean()))
    with trainer(own) as train:
        assert isinstance(train, Recipe)

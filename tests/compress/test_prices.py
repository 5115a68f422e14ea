"""What is lost by its price is what is lost when it goes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from pintsize.compress.prices import prices
from pintsize.graph import Graph
from pintsize.passes.simplify import simplify
from pintsize.read.torch_export import read


def samples(graph: Graph, count: int) -> np.ndarray:
    shape = graph.type(graph.inputs[0]).shape
    return np.random.default_rng(0).normal(size=(count, *shape)).astype(np.float32)


class Lopsided(nn.Module):
    """Of 16 channels the answer listens to four."""

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Linear(6, 16)
        self.last = nn.Linear(16, 3)
        with torch.no_grad():
            self.last.weight[:, 4:] = 0.0
            self.last.weight *= gain

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.first(x)))


def graph_of(model: nn.Module) -> Graph:
    return simplify(read(model.eval(), (6,)).graph)


@pytest.mark.parametrize("goal", ["classes", "values"])
def test_channels_nobody_listens_to_are_free(goal: str) -> None:
    graph = graph_of(Lopsided())
    curve = prices(graph, samples(graph, 256), goal=goal).channels["first"]  # type: ignore[arg-type]
    assert curve[12] == pytest.approx(0, abs=1e-12)
    assert curve[13] > 1e-6
    assert (np.diff(curve) >= 0).all()


def test_fewer_bits_cost_more() -> None:
    graph = graph_of(Lopsided())
    bits = prices(graph, samples(graph, 256)).bits
    for layer in ("first", "last"):
        assert bits[layer, 2] > bits[layer, 4] > bits[layer, 8] == 0


def test_the_same_seed_gives_the_same_prices() -> None:
    graph = graph_of(Lopsided())
    first, second = (prices(graph, samples(graph, 64), seed=3) for _ in range(2))
    assert first.bits == second.bits
    assert all(np.array_equal(first.channels[n], second.channels[n]) for n in first.channels)


class Deep(nn.Module):
    """Two groups that matter alike, but a sure answer leaves the gradients of neither."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.one, self.two, self.out = nn.Linear(6, 16), nn.Linear(16, 16), nn.Linear(16, 3)
        with torch.no_grad():
            self.out.weight *= 200

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(torch.relu(self.two(torch.relu(self.one(x)))))


def test_a_sure_teacher_makes_no_group_free() -> None:
    """Gradients vanish where the teacher is sure; what half of a group is worth is measured all the same."""
    graph = graph_of(Deep())
    channels = prices(graph, samples(graph, 256)).channels
    assert all(curve[-1] > 0 for curve in channels.values())
    assert max(c[-1] for c in channels.values()) < 1e3 * min(c[-1] for c in channels.values())

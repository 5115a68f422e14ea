"""Channels and bits chosen together: what is asked for fits, and what matters stays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.models import ds_cnn, resnet8
from pintsize.compress.allocate import BYTES_PER_OUTPUT, LEAST_SHARE, Allocation, Sizes, allocate, prices
from pintsize.compress.prune import Prune
from pintsize.compress.quantize import Quantize
from pintsize.graph import Graph
from pintsize.passes.simplify import fold, simplify
from pintsize.read.torch_export import read
from pintsize.write.c import write

SHAPES = {"ds_cnn": (1, 49, 10), "resnet8": (3, 32, 32)}


@pytest.fixture(scope="module", params=SHAPES)
def graph(request: pytest.FixtureRequest) -> Graph:
    torch.manual_seed(0)
    model = {"ds_cnn": ds_cnn, "resnet8": resnet8}[request.param].make()
    return simplify(read(model, SHAPES[request.param]).graph)


def samples(graph: Graph, count: int) -> np.ndarray:
    return (
        np.random.default_rng(0).normal(size=(count, *graph.type(graph.inputs[0]).shape)).astype(np.float32)
    )


def applied(graph: Graph, allocation: Allocation) -> Graph:
    """The allocation's network in integers."""
    every = Sizes.of(graph).groups
    shares = {name: allocation.widths[name] / len(every[name].channels) for name in every}
    pruned = fold(Prune(1.0, shares)(graph))
    return Quantize(8, allocation.bits)(pruned, samples(graph, 4))


@pytest.mark.parametrize("share", [1.0, 0.4, 0.15])
def test_the_bytes_are_those_that_are_written(graph: Graph, share: float) -> None:
    sizes = Sizes.of(graph)
    cost = prices(graph, samples(graph, 8))
    allocation = allocate(sizes, cost, share * sizes.bytes(sizes.full()))
    assert allocation is not None
    written = sum(write(applied(graph, allocation)).constant_bytes)
    assert sizes.bytes(allocation) <= share * sizes.bytes(sizes.full())
    # narrow rows are rounded up to whole bytes
    assert sizes.bytes(allocation) <= written <= sizes.bytes(allocation) * 1.03 + 16


def test_no_group_is_starved(graph: Graph) -> None:
    sizes = Sizes.of(graph)
    cost = prices(graph, samples(graph, 8))
    allocation = allocate(sizes, cost, 0.2 * sizes.bytes(sizes.full()))
    assert allocation is not None
    shares = [allocation.widths[n] / len(g.channels) for n, g in sizes.groups.items()]
    assert min(shares) >= LEAST_SHARE * 0.25  # all cut alike would keep at least a quarter at this size


def test_too_few_bytes_have_no_allocation(graph: Graph) -> None:
    sizes = Sizes.of(graph)
    assert allocate(sizes, prices(graph, samples(graph, 8)), 50) is None


class Lopsided(nn.Module):
    """Of eight channels the answer listens to two; the second layer's weights need no precision, the last one's do."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Linear(6, 16)
        self.last = nn.Linear(16, 3)
        with torch.no_grad():
            self.last.weight[:, 4:] = 0.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.first(x)))


def test_channels_nobody_listens_to_are_free_and_go_first() -> None:
    graph = simplify(read(Lopsided(), (6,)).graph)
    cost = prices(graph, samples(graph, 256))
    together = cost.channels["first"]
    assert together[12] == pytest.approx(0, abs=1e-12)
    assert together[13] > 1e-6
    sizes = Sizes.of(graph)
    kept = 4 * 6 + 4 * 3 + BYTES_PER_OUTPUT * (4 + 3)
    allocation = allocate(sizes, cost, kept, floor_channels=1)
    assert allocation is not None
    assert allocation.bits["last"] == 8 or allocation.widths["first"] == 4


def test_the_same_seed_gives_the_same_prices(graph: Graph) -> None:
    first, second = (prices(graph, samples(graph, 16), seed=3) for _ in range(2))
    assert first.bits == second.bits
    assert all(np.array_equal(first.channels[n], second.channels[n]) for n in first.channels)


def test_fewer_bits_cost_more() -> None:
    graph = simplify(read(Lopsided(), (6,)).graph)
    bits = prices(graph, samples(graph, 256)).bits
    for layer in ("first", "last"):
        assert bits[layer, 2] > bits[layer, 4] > bits[layer, 8] == 0

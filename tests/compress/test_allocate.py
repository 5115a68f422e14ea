"""Channels, bits and branches chosen together: the limits are kept, and what matters stays."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.models import ds_cnn
from pintsize import devices
from pintsize.compress.allocate import LEAST_SHARE, Rules, allocate, keeps, uniform, whole
from pintsize.compress.outline import Allocation
from pintsize.compress.prices import Prices, prices
from pintsize.compress.quantize import Bits, Quantize
from pintsize.compress.size import Size
from pintsize.compress.sketch import Ram, Sketch
from pintsize.costs import CostModel
from pintsize.graph import Graph
from pintsize.passes.simplify import simplify
from pintsize.read.torch_export import read
from pintsize.write.c import write

RULES = Rules()
#: code for weights of another width
CODE_BYTES = 50


class Residual(nn.Module):
    """A block whose branch adds nothing: its last layer is all zeros."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(1, 8, 3, padding=1)
        self.inner = nn.Conv2d(8, 16, 3, padding=1)
        self.outer = nn.Conv2d(16, 8, 3, padding=1)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)  # type: ignore[arg-type]
        self.last = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.stem(x))
        x = torch.relu(x + self.outer(torch.relu(self.inner(x))))
        return self.last(x.mean((2, 3)))


MODELS = {"ds_cnn": (ds_cnn.make, (1, 49, 10)), "residual": (Residual, (1, 8, 8))}


class Counted:
    """Costs without an emulator: constants as written, planned RAM, a MAC an instruction, a thousand MACs a ms."""

    def __init__(self) -> None:
        self.constants = CostModel(devices.device("raspberrypi4"), "portable", None)

    def __call__(self, graph: Graph, ram: Ram = "least") -> Size:
        size = self.constants(graph, ram)
        code = CODE_BYTES * len({graph.type(c).dtype for n in graph.nodes for c in graph.constants(n)[:1]})
        ms = graph.macs / 1000
        return replace(size, flash_bytes=size.weight_bytes + code, latency_ms=ms, energy_mj=ms / 100)


def samples(graph: Graph, count: int) -> np.ndarray:
    shape = graph.type(graph.inputs[0]).shape
    return np.random.default_rng(0).normal(size=(count, *shape)).astype(np.float32)


def sketch_of(graph: Graph) -> Sketch:
    return Sketch(graph, lambda folded: Quantize()(folded, samples(graph, 4)), Counted())


@pytest.fixture(scope="module", params=MODELS)
def priced(request: pytest.FixtureRequest) -> tuple[Sketch, Prices]:
    torch.manual_seed(0)
    make, shape = MODELS[request.param]
    graph = simplify(read(make().eval(), shape).graph)
    return sketch_of(graph), prices(graph, samples(graph, 8))


def shares(sketch: Sketch, **wanted: float) -> dict[str, float]:
    """Limits as shares of what the whole network takes."""
    size = sketch.size(whole(sketch, RULES))
    return {f"{name}": share * getattr(size, name) for name, share in wanted.items()}


LIMITS: tuple[Mapping[str, float], ...] = (
    {"flash_bytes": 0.6}, {"flash_bytes": 0.3}, {"flash_bytes": 0.2}, {"ram_bytes": 0.6}, {"ram_bytes": 0.4},
    {"latency_ms": 0.5}, {"latency_ms": 0.15}, {"energy_mj": 0.3}, {"flash_bytes": 0.4, "ram_bytes": 0.5},
    {"flash_bytes": 0.3, "latency_ms": 0.4}, {"flash_bytes": 0.4, "ram_bytes": 0.6, "latency_ms": 0.3},
)  # fmt: skip


@pytest.mark.parametrize("wanted", LIMITS, ids=lambda w: " ".join(f"{n} {s}" for n, s in w.items()))
def test_every_feasible_budget_is_met(priced: tuple[Sketch, Prices], wanted: Mapping[str, float]) -> None:
    sketch, cost = priced
    limits = shares(sketch, **wanted)
    allocation = allocate(sketch, cost, limits, RULES)
    assert allocation is not None
    size = sketch.size(allocation)
    assert all(getattr(size, name) <= limit for name, limit in limits.items())


def test_what_nothing_can_meet_has_no_allocation(priced: tuple[Sketch, Prices]) -> None:
    sketch, cost = priced
    assert allocate(sketch, cost, shares(sketch, flash_bytes=0.001), RULES) is None
    assert allocate(sketch, cost, shares(sketch, ram_bytes=0.001), RULES) is None


def test_the_costs_are_those_of_the_program_that_is_written(priced: tuple[Sketch, Prices]) -> None:
    sketch, cost = priced
    allocation = allocate(sketch, cost, shares(sketch, flash_bytes=0.3), RULES)
    assert allocation is not None
    program = write(sketch.graph(allocation))
    assert sum(program.constant_bytes) == sketch.size(allocation).weight_bytes


def test_no_group_is_starved(priced: tuple[Sketch, Prices]) -> None:
    sketch, cost = priced
    limits = shares(sketch, flash_bytes=0.25)
    allocation = allocate(sketch, cost, limits, RULES)
    assert allocation is not None
    widest = max(s / 64 for s in range(1, 65) if keeps(sketch, uniform(sketch, s / 64, 4, RULES), limits))
    for name, group in sketch.whole.groups.items():
        assert allocation.widths[name] >= LEAST_SHARE * widest * len(group.channels) - 4


def test_beats_random_search_of_equal_cost(priced: tuple[Sketch, Prices]) -> None:
    """Of as many random allocations as it looks at, none that fits loses less."""
    sketch, cost = priced
    limits = shares(sketch, flash_bytes=0.35, latency_ms=0.5)
    fresh = Sketch(sketch.base, sketch.integers, sketch.costs, sketch.outlines)
    allocation = allocate(fresh, cost, limits, RULES)
    assert allocation is not None
    fitting = [a for a in itertools.islice(drawn(sketch), len(fresh.sizes)) if keeps(sketch, a, limits)]
    assert cost.of(allocation) < min((cost.of(a) for a in fitting), default=np.inf)


def drawn(sketch: Sketch) -> Iterator[Allocation]:
    """Random allocations without end."""
    random = np.random.default_rng(1)
    options: tuple[Bits, ...] = (8, 4)
    while True:
        widths = {n: RULES.width(g, float(random.uniform(0.2, 1))) for n, g in sketch.whole.groups.items()}
        bits: dict[str, Bits] = {n: options[int(random.integers(2))] for n in sketch.whole.layers}
        yield Allocation(widths, bits)


def test_narrow_weights_do_not_pay_for_ram(priced: tuple[Sketch, Prices]) -> None:
    sketch, cost = priced
    allocation = allocate(sketch, cost, shares(sketch, ram_bytes=0.75), RULES)
    assert allocation is not None
    assert set(allocation.bits.values()) == {8}


def test_layers_keep_what_is_fixed(priced: tuple[Sketch, Prices]) -> None:
    sketch, cost = priced
    layer = sketch.whole.layers[1]
    group = next(iter(sketch.whole.groups))
    rules = Rules(fixed={layer: 4}, kept=frozenset([group]))
    allocation = allocate(sketch, cost, shares(sketch, flash_bytes=0.5), rules)
    assert allocation is not None
    assert allocation.bits[layer] == 4
    assert allocation.widths[group] == len(sketch.whole.groups[group].channels)


def test_a_branch_that_adds_nothing_is_dropped_first() -> None:
    graph = simplify(read(Residual().eval(), (1, 8, 8)).graph)
    sketch, cost = sketch_of(graph), prices(graph, samples(graph, 64))
    useless = min(cost.drops, key=lambda d: cost.drops[d])
    assert cost.drops[useless] == pytest.approx(0, abs=1e-6)
    allocation = allocate(sketch, cost, shares(sketch, latency_ms=0.5), RULES)
    assert allocation is not None
    assert allocation.dropped == (useless,)
    left = {n.name for n in sketch.graph(allocation).nodes}
    assert not {"inner", "outer"} & left

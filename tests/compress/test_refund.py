"""A step that saves nothing on the device is undone, and the report can say which and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from pintsize import devices
from pintsize.compress.allocate import Rules
from pintsize.compress.prices import Prices, prices
from pintsize.compress.quantize import Quantize
from pintsize.compress.refund import costs_no_more, refund
from pintsize.compress.sketch import Sketch
from pintsize.costs import CostModel
from pintsize.measure import footprint
from pintsize.passes.simplify import simplify
from pintsize.read.torch_export import read
from pintsize.verify import input_codes
from pintsize.workshop import size_of
from pintsize.write.c import write

DEVICE = devices.device("stm32l4r5")
#: finer than what the kernels work with, so that steps below their alignment can be planted
RULES = Rules(alignment=1, floor=1)


class Planted(nn.Module):
    """A first layer whose few weights take hardly any room and whose output takes most RAM; then pixels by themselves,
    whose channels the kernels read four at a time.
    """

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(1, 8, 3, padding=1)
        self.pool = nn.AvgPool2d(4)
        self.middle = nn.Conv2d(8, 32, 1)
        self.large = nn.Conv2d(32, 64, 1)
        self.last = nn.Linear(64, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(torch.relu(self.first(x)))
        x = torch.relu(self.large(torch.relu(self.middle(x))))
        return self.last(x.mean((2, 3)))


@pytest.fixture(scope="module")
def planted() -> tuple[Sketch, Prices]:
    graph = simplify(read(Planted().eval(), (1, 16, 16)).graph)
    x = np.random.default_rng(0).normal(size=(64, 16, 16, 1)).astype(np.float32)
    return Sketch(graph, lambda folded: Quantize()(folded, x), CostModel.of(DEVICE)), prices(graph, x)


def test_narrow_weights_whose_code_weighs_more_than_they_save_are_undone(
    planted: tuple[Sketch, Prices],
) -> None:
    """72 weights at 4 bits save 36 bytes and bring a second set of kernels into the program."""
    sketch, cost = planted
    full = sketch.whole.full()
    kept, undone = refund(sketch, cost, replace(full, bits={**full.bits, "first": 4}), RULES)
    assert kept == full
    assert [r.step for r in undone] == ["4 instead of 8 bits in first"]
    assert "saves -" in undone[0].reason


def test_channels_below_the_alignment_of_the_kernels_are_undone_and_the_linked_programs_agree(
    planted: tuple[Sketch, Prices],
) -> None:
    sketch, cost = planted
    full = sketch.whole.full()
    unaligned = replace(full, widths={**full.widths, "middle": 31})
    kept, undone = refund(sketch, cost, unaligned, RULES)
    assert [r.step for r in undone] == ["31 instead of 32 channels in middle"]
    assert kept == full
    linked = {}
    for allocation in (unaligned, kept):
        graph = sketch.graph(allocation)
        sample = input_codes(graph, np.zeros((1, 16, 16, 1), np.float32))
        linked[allocation] = size_of(footprint(write(graph, isa="dsp"), DEVICE, sample))
    assert costs_no_more(linked[kept], linked[unaligned])


def test_steps_that_save_something_stay(planted: tuple[Sketch, Prices]) -> None:
    sketch, cost = planted
    full = sketch.whole.full()
    narrow = replace(full, widths={**full.widths, "large": 32}, bits=dict.fromkeys(full.bits, 4))
    kept, undone = refund(sketch, cost, narrow, RULES)
    assert (kept, undone) == (narrow, ())

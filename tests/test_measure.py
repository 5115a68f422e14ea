"""Figures come from the linked program and the emulated core, and say when they cannot be had."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from pintsize.compress.quantize import Bits, Quantize
from pintsize.devices import DEVICES, device
from pintsize.measure import footprint
from pintsize.passes.simplify import fold
from pintsize.read.torch_export import read
from pintsize.write.c import CProgram, write


def program(seed: int = 0, bits: Bits = 8, width: int = 8) -> CProgram:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.AvgPool2d(8),
        nn.Flatten(), nn.Linear(width, 4),
    )  # fmt: skip
    graph = fold(read(model.eval(), sample_shape=(1, 8, 8)).graph)
    return write(
        Quantize(bits)(graph, np.random.default_rng(0).normal(size=(32, 8, 8, 1)).astype(np.float32))
    )


SAMPLE = np.zeros(64, np.int8)


def test_every_figure_of_a_device_that_can_be_emulated() -> None:
    written = program()
    taken = footprint(written, device("nrf52840"), SAMPLE)
    assert taken.linked
    assert taken.weight_bytes == sum(written.constant_bytes) < taken.flash_bytes < taken.weight_bytes + 8192
    assert taken.arena_bytes == written.plan.arena_bytes
    assert taken.ram_bytes >= taken.arena_bytes + 64 + 4 + (taken.stack_bytes or 0)
    assert sum((taken.by_layer or {}).values()) == taken.instructions
    assert taken.latency_ms is not None
    assert 0.5 < taken.latency_ms / (taken.instructions / 64e6 * 1e3) < 3
    assert taken.energy_mj is not None


def test_flash_does_not_depend_on_what_was_learnt() -> None:
    sizes = [footprint(program(seed), device("nrf52840"), SAMPLE).flash_bytes for seed in range(3)]
    assert max(sizes) - min(sizes) <= 0.01 * min(sizes)


def test_four_bits_take_less_flash_than_eight() -> None:
    eight, four = (footprint(program(0, bits, 32), device("rp2040"), SAMPLE) for bits in (8, 4))
    assert four.weight_bytes < 0.65 * eight.weight_bytes
    assert four.flash_bytes < eight.flash_bytes


def test_a_core_that_is_not_emulated_has_counted_sizes_only() -> None:
    taken = footprint(program(), device("phone"), SAMPLE)
    assert not taken.linked
    assert taken.flash_bytes == taken.weight_bytes
    assert taken.instructions is None
    assert taken.latency_ms is None


@pytest.mark.parametrize("name", sorted(n for n, d in DEVICES.items() if d.emulated))
def test_every_emulated_device_can_be_measured(name: str) -> None:
    taken = footprint(program(), device(name), SAMPLE)
    assert taken.linked
    assert taken.flash_bytes < DEVICES[name].flash_bytes

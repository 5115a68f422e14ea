"""Predicted costs are those of the program that is written, linked and run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.models import ds_cnn
from pintsize import devices
from pintsize.compress.allocate import Rules
from pintsize.compress.grid import grid
from pintsize.compress.outline import Allocation
from pintsize.compress.quantize import Bits, Quantize
from pintsize.compress.size import Size
from pintsize.compress.sketch import Sketch
from pintsize.costs import CostModel, KernelTable
from pintsize.embedded import DigitsNet
from pintsize.graph import Graph
from pintsize.measure import Footprint, footprint
from pintsize.passes.simplify import simplify
from pintsize.read.torch_export import read
from pintsize.verify import input_codes
from pintsize.write.c import write

SHAPES = {"digits": (1, 8, 8), "ds_cnn": (1, 49, 10)}
DEVICES = ("stm32l4r5", "stm32g0b1")


def samples(graph: Graph, count: int) -> np.ndarray:
    shape = graph.type(graph.inputs[0]).shape
    return np.random.default_rng(0).normal(size=(count, *shape)).astype(np.float32)


def sketch_of(name: str, device: str, folder: Path | None = None) -> Sketch:
    torch.manual_seed(0)
    model = DigitsNet() if name == "digits" else ds_cnn.make()
    graph = simplify(read(model.eval(), SHAPES[name]).graph)
    x = samples(graph, 32)
    model_of = CostModel.of(devices.device(device))
    if folder is not None and model_of.table is not None:
        model_of = CostModel(
            model_of.device, model_of.isa, KernelTable(model_of.device.core, model_of.isa, folder)
        )
    sketch = Sketch(graph, lambda folded: Quantize()(folded, x), model_of)
    model_of.measure(grid(sketch, [], Rules()))
    return sketch


@pytest.fixture(
    scope="module", params=[(n, d) for n in SHAPES for d in DEVICES], ids=lambda p: f"{p[0]}-{p[1]}"
)
def sketched(request: pytest.FixtureRequest) -> tuple[Sketch, str]:
    name, device = request.param
    return sketch_of(name, device), device


def drawn(sketch: Sketch, seed: int, bits: tuple[Bits, ...]) -> Allocation:
    """Widths and bits of a pruned variant."""
    random = np.random.default_rng(seed)
    widths = {n: Rules().width(g, float(random.uniform(0.2, 0.9))) for n, g in sketch.whole.groups.items()}
    chosen: dict[str, Bits] = {n: bits[int(random.integers(len(bits)))] for n in sketch.whole.layers}
    return Allocation(widths, chosen)


def linked(sketch: Sketch, allocation: Allocation, device: str) -> Footprint:
    graph = sketch.graph(allocation)
    program = write(graph, isa=CostModel.of(devices.device(device)).isa)
    return footprint(program, devices.device(device), input_codes(graph, samples(graph, 1)))


@pytest.mark.parametrize(("seed", "bits"), [(1, (8,)), (2, (4,)), (3, (8, 4, 2))])
def test_the_prediction_is_within_5_percent_of_the_whole_program(
    sketched: tuple[Sketch, str], seed: int, bits: tuple[Bits, ...]
) -> None:
    sketch, device = sketched
    allocation = drawn(sketch, seed, bits)
    told, found = sketch.size(allocation, "planned"), linked(sketch, allocation, device)
    assert told.weight_bytes == found.weight_bytes
    assert told.instructions == pytest.approx(found.instructions, rel=0.05)
    assert told.latency_ms == pytest.approx(found.latency_ms, rel=0.05)
    assert told.flash_bytes == pytest.approx(found.flash_bytes, rel=0.05)
    assert told.ram_bytes == pytest.approx(
        found.ram_bytes, rel=0.05, abs=160
    )  # the stack is that of all kernels
    assert sketch.size(allocation).ram_bytes <= told.ram_bytes


def test_what_was_measured_is_kept_on_disk(tmp_path: Path) -> None:
    first = sketch_of("digits", "stm32l4r5", tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert kept
    assert all(path.name.startswith("cortex-m4-dsp-") for path in kept)
    second = sketch_of("digits", "stm32l4r5", tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == kept
    allocation = drawn(first, 1, (8, 4))
    assert first.size(allocation) == second.size(allocation)


def test_a_measurement_that_cannot_be_read_is_made_anew(tmp_path: Path) -> None:
    first = sketch_of("digits", "stm32l4r5", tmp_path)
    for path in tmp_path.iterdir():
        path.write_text("[{")
    second = sketch_of("digits", "stm32l4r5", tmp_path)
    assert first.size(first.whole.full()) == second.size(second.whole.full())


def test_a_core_that_is_not_emulated_has_constants_and_buffers_alone() -> None:
    sketch = sketch_of("digits", "raspberrypi4")
    size: Size = sketch.size(sketch.whole.full())
    assert size.flash_bytes == size.weight_bytes > 0
    assert size.ram_bytes > 0
    assert size.instructions is None
    assert size.latency_ms is None

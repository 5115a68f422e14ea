"""Layers that move codes may write over what they have read: the program still gives the reference's integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pintsize.compress.quantize import Quantize
from pintsize.graph import Graph, Node, Op, Tensor, TensorType, rebuild
from pintsize.module import run_integers
from pintsize.ops import Gather, Pad, ResizeBilinear, ResizeNearest, Slice
from pintsize.write.c import write
from tests.compiled import run_on_host
from tests.drawn import draw_pad, draw_resize, draw_selection, drawn_layers, random_codes

DRAWS = {"pad": draw_pad, "resize": draw_resize, "selection": draw_selection}


def integers(graph: Graph) -> Graph:
    shape = graph.type("x").shape
    samples = np.random.default_rng(0).normal(size=(8, *shape)).astype(np.float32)
    return Quantize(calibration="min_max")(graph, samples)


def assert_equal(graph: Graph) -> None:
    codes = random_codes(graph, 4)
    found = run_on_host(write(graph, reuse_io=True).files, codes)
    assert np.array_equal(found, run_integers(graph, codes).reshape(len(codes), -1))


@pytest.mark.parametrize("name", DRAWS)
@settings(max_examples=10)
@given(data=st.data())
def test_chains_of_drawn_layers(name: str, data: st.DataObject) -> None:
    assert_equal(integers(data.draw(drawn_layers(DRAWS[name], 3))))


ARENAS: list[tuple[Op, int]] = [
    (Pad((2, 1, 0, 0)), 11 * 8 * 4),
    (Pad((0, 0, 1, 1)), 8 * 10 * 4 + 4),  # the last column moves by less than the first is padded
    (Slice((2,), (8,), (1,)), 8 * 8 * 4),
    (Slice((0, 2), (8, 8), (1, 1)), 8 * 8 * 4),
    (Gather((4, 5, 6)), 8 * 8 * 4),
    (ResizeNearest((16, 16)), 16 * 16 * 4 + 8 * 4),
    (ResizeBilinear((16, 16)), 16 * 16 * 4 + 8 * 4),
]


@pytest.mark.parametrize(("op", "most"), ARENAS, ids=[f"{op.name} {i}" for i, (op, _) in enumerate(ARENAS)])
def test_input_and_output_share_memory(op: Op, most: int) -> None:
    x = Tensor("x", TensorType((8, 8, 4)))
    graph = rebuild(Graph("one", {"x": x}, (), ("x",), ("y",)), [Node("y", op, ("x",), "y")])
    graph = integers(graph)
    assert write(graph, reuse_io=True).plan.arena_bytes <= most
    assert_equal(graph)

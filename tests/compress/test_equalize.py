"""Equalization changes the numbers and not the meaning."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from pintsize.compress.equalize import channel_reach, equalize
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.module import run_float
from pintsize.ops import Conv2d, DepthwiseConv2d, Linear, Op
from tests.drawn import Drawn, drawn_graphs
from tests.examples import constant


def uneven(second: Op, shape: tuple[int, ...], activation: str = "relu") -> Graph:
    """A convolution whose 6 channels differ a thousandfold, then `second` with weights of this shape."""
    rng = np.random.default_rng(3)
    sizes = np.geomspace(0.01, 10, 6).reshape(6, 1, 1, 1)
    constants = {
        t.name: t
        for t in (
            constant("w0", rng.normal(0, 1, (6, 3, 3, 2)) * sizes),
            constant("b0", rng.normal(0, 1, 6) * sizes.reshape(6)),
            constant("w1", rng.normal(0, 1, shape)),
            constant("b1", rng.normal(0, 1, shape[-1] if len(shape) == 3 else shape[0])),
        )
    }
    first = Conv2d(padding=(1, 1, 1, 1), activation=activation)  # type: ignore[arg-type]
    nodes = [Node("first", first, ("x", "w0", "b0"), "h"), Node("second", second, ("h", "w1", "b1"), "y")]
    return rebuild(
        Graph("g", {"x": Tensor("x", TensorType((5, 5, 2)))}, (), ("x",), ("y",)), nodes, constants
    )


def unevenness(graph: Graph) -> float:
    largest = np.abs(graph.constant("w0")).max((1, 2, 3))
    return float(largest.max() / largest.min())


SECONDS = [
    pytest.param(Conv2d(activation="relu6"), (4, 3, 3, 6), id="conv2d"),
    pytest.param(DepthwiseConv2d(multiplier=2), (3, 3, 12), id="depthwise_conv2d"),
    pytest.param(Linear(), (4, 6), id="linear"),
]


@pytest.mark.parametrize(("second", "shape"), SECONDS)
def test_the_meaning_stays_and_the_ranges_even_out(second: Op, shape: tuple[int, ...]) -> None:
    graph = uneven(second, shape)
    even = equalize(graph)
    x = torch.randn(64, 5, 5, 2, generator=torch.Generator().manual_seed(0))
    before, after = run_float(graph, x), run_float(even, x)
    assert (after - before).abs().max() <= 1e-4 * before.abs().max()
    assert unevenness(even) < unevenness(graph) / 10


def test_nothing_moves_through_relu6() -> None:
    graph = uneven(Linear(), (4, 6), activation="relu6")
    assert np.array_equal(equalize(graph).constant("w0"), graph.constant("w0"))


def test_nothing_moves_where_two_layers_read() -> None:
    graph = uneven(Linear(), (4, 6))
    other = [constant("w2", np.ones((4, 6))), constant("b2", np.ones(4))]
    nodes = [graph.nodes[0], Node("other", Linear(), ("h", "w2", "b2"), "o"), graph.nodes[1]]
    graph = rebuild(graph, nodes, {t.name: t for t in other})
    assert np.array_equal(equalize(graph).constant("w0"), graph.constant("w0"))


def test_a_dead_channel_stays_as_it_is() -> None:
    graph = uneven(Linear(), (4, 6))
    weight = graph.constant("w0").copy()
    weight[2] = 0
    graph = graph.with_tensors(constant("w0", weight))
    even = equalize(graph)
    assert np.isfinite(even.constant("w0")).all()
    assert even.constant("b0")[2] == graph.constant("b0")[2]


@settings(max_examples=60)
@given(drawn_graphs())
def test_drawn_graphs_keep_their_meaning(drawn: Drawn) -> None:
    x = torch.from_numpy(drawn.samples)
    before, after = run_float(drawn.graph, x), run_float(equalize(drawn.graph), x)
    assert (after - before).abs().max() <= 1e-3 * max(1.0, float(before.abs().max()))


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (64, 5, 5, 2)).astype(np.float32)


@pytest.mark.parametrize(("second", "shape"), SECONDS)
def test_samples_even_out_what_flows_between(second: Op, shape: tuple[int, ...]) -> None:
    graph, x = uneven(second, shape), picture()
    even = equalize(graph, x)
    before, after = (run_float(g, torch.from_numpy(picture(1))) for g in (graph, even))
    assert (after - before).abs().max() <= 1e-4 * before.abs().max()
    reach = [channel_reach(g, x)["h"] for g in (graph, even)]
    assert reach[1].max() / reach[1].min() < reach[0].max() / reach[0].min() / 10


def test_through_relu6_goes_what_stays_below_6() -> None:
    graph, x = uneven(Linear(), (4, 6), activation="relu6"), picture()
    even = equalize(graph, x)
    before, after = (channel_reach(g, x)["h"] for g in (graph, even))
    clipped = before >= 6.0
    assert clipped.any()
    assert not clipped.all()
    assert np.array_equal(even.constant("w0")[clipped], graph.constant("w0")[clipped])
    assert after[~clipped].max() <= 5.51
    assert after[~clipped].min() > 2 * before[~clipped].min()
    y, y_even = (run_float(g, torch.from_numpy(x)) for g in (graph, even))
    assert (y_even - y).abs().max() <= 1e-4 * y.abs().max()


@settings(max_examples=30)
@given(drawn_graphs())
def test_drawn_graphs_keep_their_meaning_on_their_samples(drawn: Drawn) -> None:
    x = torch.from_numpy(drawn.samples)
    before, after = run_float(drawn.graph, x), run_float(equalize(drawn.graph, drawn.samples), x)
    assert (after - before).abs().max() <= 1e-3 * max(1.0, float(before.abs().max()))

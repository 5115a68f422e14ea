"""Channels that are the same for every input go, and the integers stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from pintsize.graph import Graph, Node, Tensor, TensorType
from pintsize.module import run_integers
from pintsize.ops import AveragePool2d, Conv2d, DepthwiseConv2d, Linear, Reshape
from pintsize.passes.fold_constant_channels import channel_intervals, fold_constant_channels
from pintsize.spec import check
from tests.drawn import random_codes
from tests.write.c.chains import chains

#: of the 16 channels of "hidden": alive or dead, and if dead at which code
LIVE = [0, 2, 5, 7, 9, 11]
#: dead, but not at the zero point
RAISED = [1, 3]


def separable(dead_bias: int = -(10**6), padding: int = 1) -> Graph:
    """Input (5, 4, 3) → pointwise to 16 channels, ten of them dead → depthwise → pointwise → mean → 4 numbers."""
    rng = np.random.default_rng(0)
    shapes = {"w0": (16, 1, 1, 3), "w1": (3, 3, 16), "w2": (8, 1, 1, 16), "w3": (4, 8)}
    tensors: dict[str, Tensor] = {}
    for name, shape in shapes.items():
        axis = 2 if name == "w1" else 0
        width = shape[axis]
        codes = rng.integers(-127, 128, shape).astype(np.int8)
        bias = rng.integers(-500, 500, width).astype(np.int32)
        scale = np.full(width, 0.004, np.float32)
        if name == "w0":
            dead = np.setdiff1d(np.arange(16), LIVE)
            bias[dead], scale[dead] = dead_bias, 1e-9
            bias[RAISED], scale[RAISED] = 10**6, 1e-6
        scales = tuple(float(s) for s in scale)
        tensors[name] = Tensor(name, TensorType(shape, "int8", scales, 0, axis), codes)
        bias_kind = TensorType((width,), "int32", tuple(0.05 * s for s in scales), 0, 0)
        tensors[f"{name}b"] = Tensor(f"{name}b", bias_kind, bias)
    kinds = {
        "x": (5, 4, 3), "hidden": (5, 4, 16), "deep": (5, 4, 16), "mixed": (5, 4, 8), "mean": (1, 1, 8),
        "flat": (8,), "y": (4,),
    }  # fmt: skip
    for name, shape in kinds.items():
        zero_point = 0 if name in ("x", "y") else -128
        tensors[name] = Tensor(name, TensorType(shape, "int8", (0.05,), zero_point))
    nodes = (
        Node("n0", Conv2d(activation="relu"), ("x", "w0", "w0b"), "hidden"),
        Node(
            "n1", DepthwiseConv2d(padding=(padding,) * 4, activation="relu"), ("hidden", "w1", "w1b"), "deep"
        ),
        Node("n2", Conv2d(activation="relu"), ("deep", "w2", "w2b"), "mixed"),
        Node("n3", AveragePool2d((5, 4), (5, 4)), ("mixed",), "mean"),
        Node("n4", Reshape((8,)), ("mean",), "flat"),
        Node("n5", Linear(), ("flat", "w3", "w3b"), "y"),
    )
    return Graph("separable", tensors, nodes, ("x",), ("y",))


def assert_same_integers(graph: Graph, folded: Graph) -> None:
    check(folded, "integer")
    codes = random_codes(graph, 40)
    assert np.array_equal(run_integers(folded, codes), run_integers(graph, codes))


def test_dead_channels_go_with_their_weights() -> None:
    graph = separable()
    folded = fold_constant_channels(graph, multiple=1)
    assert_same_integers(graph, folded)
    dead_at_zero = 16 - len(LIVE) - len(RAISED)
    assert folded.type("hidden").shape[-1] <= 16 - dead_at_zero
    assert folded.type("w1").shape == (3, 3, folded.type("deep").shape[-1])
    assert folded.type("w2").shape[-1] == folded.type("deep").shape[-1]


def test_channels_are_kept_in_multiples() -> None:
    graph = separable()
    folded = fold_constant_channels(graph, multiple=4)
    assert_same_integers(graph, folded)
    assert folded.type("hidden").shape[-1] % 4 == 0


def test_the_intervals_hold_every_code() -> None:
    graph = separable()
    intervals = channel_intervals(graph)
    for name in ("hidden", "y"):
        part = replace(graph, nodes=graph.nodes if name == "y" else graph.nodes[:1], outputs=(name,))
        codes = run_integers(part, random_codes(graph, 60))
        channels = codes.reshape(-1, codes.shape[-1])
        assert (channels >= intervals[name].low).all()
        assert (channels <= intervals[name].high).all()


def test_the_output_keeps_its_channels() -> None:
    graph = separable()
    first = replace(graph, nodes=graph.nodes[:1], outputs=("hidden",))
    assert fold_constant_channels(first).type("hidden").shape == (5, 4, 16)


@pytest.mark.parametrize("multiple", [1, 4])
@settings(max_examples=25)
@given(chains())
def test_any_chain_computes_the_same(multiple: int, graph: Graph) -> None:
    assert_same_integers(graph, fold_constant_channels(graph, multiple))

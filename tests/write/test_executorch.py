"""Programs for ExecuTorch compute what the Graph computes; XNNPACK requantizes in floating point."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from pintsize.compress.quantize import Quantize
from pintsize.errors import MissingExtra
from pintsize.graph import Graph, Node, Tensor, TensorType, rebuild
from pintsize.module import run_float, run_integers
from pintsize.ops import (
    Add,
    AveragePool2d,
    Conv2d,
    DepthwiseConv2d,
    Linear,
    Lstm,
    MaxPool2d,
    Reshape,
    Softmax,
)
from pintsize.runtimes import RUNTIMES
from pintsize.write.executorch import write_executorch
from tests.drawn import random_codes
from tests.examples import constant

#: ExecuTorch warns that it is experimental whenever it is imported
pytestmark = pytest.mark.filterwarnings("ignore")
XNNPACK = "executorch.backends.xnnpack.partition.xnnpack_partitioner"


def network() -> Graph:
    """A residual network of images, (8, 8, 3) → (4,), with padding of all kinds."""
    rng = np.random.default_rng(0)
    shapes = {
        "conv": ((8, 3, 3, 3), 8), "depthwise": ((3, 3, 8), 8), "pointwise": ((8, 1, 1, 8), 8), "logits": ((4, 8), 4),
    }  # fmt: skip
    constants = {f"{n}.w": constant(f"{n}.w", rng.normal(0, 0.4, s)) for n, (s, _) in shapes.items()}
    constants |= {f"{n}.b": constant(f"{n}.b", rng.normal(0, 0.2, width)) for n, (_, width) in shapes.items()}

    def layer(name: str, op: Conv2d | DepthwiseConv2d | Linear, x: str) -> Node:
        return Node(name, op, (x, f"{name}.w", f"{name}.b"), name)

    nodes = [
        layer("conv", Conv2d((2, 2), (0, 1, 0, 1), activation="relu"), "x"),
        layer("depthwise", DepthwiseConv2d((1, 1), (1, 1, 1, 1), activation="relu6"), "conv"),
        layer("pointwise", Conv2d(), "depthwise"),
        Node("sum", Add("relu"), ("conv", "pointwise"), "sum"),
        Node("pool", MaxPool2d(), ("sum",), "pool"),
        Node("mean", AveragePool2d((2, 2), (1, 1)), ("pool",), "mean"),
        Node("flat", Reshape(), ("mean",), "flat"),
        layer("logits", Linear(), "flat"),
        Node("softmax", Softmax(), ("logits",), "softmax"),
    ]
    x = Tensor("x", TensorType((8, 8, 3)))
    return rebuild(Graph("network", {"x": x}, (), ("x",), ("softmax",)), nodes, constants)


def sequence() -> Graph:
    """A recurrent layer, which XNNPACK does not take: (4, 3) → (4, 5)."""
    rng = np.random.default_rng(0)
    shapes = {"w": (5, 4, 3), "r": (5, 4, 5), "b": (5, 4)}
    constants = {n: constant(n, rng.normal(0, 0.6, s)) for n, s in shapes.items()}
    x = Tensor("x", TensorType((4, 3)))
    nodes = [Node("y", Lstm(), ("x", *shapes), "y")]
    return rebuild(Graph("sequence", {"x": x}, (), ("x",), ("y",)), nodes, constants)


def run(content: bytes, graph: Graph, x: np.ndarray) -> np.ndarray:
    """Outputs of the program in the Graph's terms."""
    return next(r for r in RUNTIMES if r.suffix == ".pte").run(content, graph, x)


@pytest.mark.long
@pytest.mark.parametrize(("graph", "most"), [(network(), 2), (sequence(), 8)], ids=["network", "sequence"])
def test_integers_come_out_within_a_few_steps(graph: Graph, most: int) -> None:
    """More for a recurrent layer: there, it does not round its state at every step."""
    pytest.importorskip("executorch.exir", reason="needs ExecuTorch")
    kind = graph.type("x")
    samples = np.random.default_rng(1).normal(0, 1, (32, *kind.shape)).astype(np.float32)
    integers = Quantize()(graph, samples)
    content = write_executorch(integers)
    codes = random_codes(integers, 20)
    steps = run(content, integers, codes) - run_integers(integers, codes)
    assert np.abs(steps).max() <= most
    assert (steps != 0).mean() < 0.1 * most


@pytest.mark.long
def test_real_numbers_come_out_alike() -> None:
    pytest.importorskip("executorch.exir", reason="needs ExecuTorch")
    graph = network()
    x = np.random.default_rng(1).normal(0, 1, (5, 8, 8, 3)).astype(np.float32)
    found = run(write_executorch(graph), graph, x)
    np.testing.assert_allclose(found, run_float(graph, torch.from_numpy(x)).numpy(), atol=1e-5)


def test_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, XNNPACK, None)
    with pytest.raises(MissingExtra, match="extra 'executorch'"):
        write_executorch(network())

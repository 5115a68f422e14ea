"""Layer norm in integers: close to real numbers for rows of every kind, and the same in C."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pintsize.arithmetic import LAYER_NORM_BITS, layer_norm_epsilon, normalized, reciprocal_root
from pintsize.graph import Graph, Node, Tensor, TensorType
from pintsize.module import run_integers
from pintsize.ops import LayerNorm
from pintsize.spec import check
from pintsize.write.c import write
from tests.compiled import run_on_host


def test_the_reciprocal_root_is_right_to_29_bits() -> None:
    a = torch.cat([torch.linspace(2**29, 2**31 - 2, 100_000).long(), torch.tensor([2**29, 2**31 - 2])])
    exact = 2.0**31 / (2 * torch.sqrt(a.double() / 2**31))
    assert float((reciprocal_root(a) - exact).abs().max()) <= 4


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 600), st.sampled_from([0.0, 1e-5, 0.1, 1e30]))
def test_rows_are_normalized(seed: int, count: int, epsilon: float) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(-128, 128, (4, count))
    codes[0] = 5
    codes[1, :-1] = -128
    scale = float(np.float32(10.0 ** rng.uniform(-4, 1)))
    x = torch.from_numpy(codes).double() * scale
    spread = x.var(-1, keepdim=True, unbiased=False) + max(epsilon, 1e-30)
    exact = (x - x.mean(-1, keepdim=True)) / spread.sqrt()
    found = normalized(torch.from_numpy(codes), scale, epsilon) / 2**LAYER_NORM_BITS
    # ε is a whole number of squared steps, at least 1
    least = layer_norm_epsilon(0.0, count, scale) * (scale / count) ** 2
    slack = 0.5 * least / spread if epsilon else least / spread
    assert bool(((found - exact).abs() <= 2.0**-LAYER_NORM_BITS + exact.abs() * slack).all())


def layer(count: int, epsilon: float, scale: float) -> Graph:
    rng = np.random.default_rng(count)
    weight, bias = rng.integers(-127, 128, count), rng.integers(-(2**20), 2**20, count)
    unit = (0.01,) * count
    tensors = [
        Tensor("x", TensorType((3, count), "int8", (scale,), 7)),
        Tensor("w", TensorType((count,), "int8", unit, axis=0), weight.astype(np.int8)),
        Tensor("b", TensorType((count,), "int32", (0.01 / 4096,) * count, axis=0), bias.astype(np.int32)),
        Tensor("y", TensorType((3, count), "int8", (0.02 * sqrt(count),), -3)),
    ]
    node = Node("norm", LayerNorm(epsilon), ("x", "w", "b"), "y")
    graph = Graph("norm", {t.name: t for t in tensors}, (node,), ("x",), ("y",))
    check(graph, "integer")
    return graph


@pytest.mark.parametrize(
    ("count", "epsilon", "scale"),
    [(1, 1e-5, 0.1), (2, 0.0, 1.0), (65, 1e-5, 1e-4), (32767, 1e-5, 0.05), (7, 1e30, 1e-8)],
)
def test_c_gives_the_integers(count: int, epsilon: float, scale: float) -> None:
    graph = layer(count, epsilon, scale)
    codes = np.random.default_rng(0).integers(-128, 128, (4, 3, count)).astype(np.int8)
    codes[0], codes[1] = -128, 127
    codes[2, :, ::2] = -128
    expected = run_integers(graph, codes).reshape(4, -1)
    assert np.array_equal(run_on_host(write(graph).files, codes), expected)

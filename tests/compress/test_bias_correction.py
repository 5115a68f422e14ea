"""Empirical bias correction: means on the samples are those that are wanted."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pintsize.compress.bias_correction import corrected_bias, mean_output
from pintsize.compress.quantize import Quantize
from pintsize.graph import Graph, Node, Op, Tensor, TensorType, rebuild
from pintsize.ops import Conv2d, DepthwiseConv2d, Linear, TransposeConv2d
from tests.examples import constant

LAYERS = [
    pytest.param(Conv2d(padding=(1, 1, 1, 1), activation="relu"), (4, 3, 3, 2), 4, id="conv2d"),
    pytest.param(DepthwiseConv2d(multiplier=2), (3, 3, 4), 4, id="depthwise_conv2d"),
    pytest.param(Linear("relu6"), (4, 2), 4, id="linear"),
    pytest.param(TransposeConv2d(stride=(2, 2)), (4, 2, 2, 2), 4, id="transpose_conv2d"),
]


@pytest.mark.parametrize(("op", "shape", "outputs"), LAYERS)
def test_the_mean_before_the_activation_is_the_wanted_one(
    op: Op, shape: tuple[int, ...], outputs: int
) -> None:
    draw = np.random.default_rng(0)
    constants = {"w": constant("w", draw.normal(0, 1, shape)), "b": constant("b", draw.normal(0, 1, outputs))}
    graph = Graph("g", {"x": Tensor("x", TensorType((6, 5, 2)))}, (), ("x",), ("y",))
    graph = rebuild(graph, [Node("layer", op, ("x", "w", "b"), "y")], constants)
    x = draw.normal(1, 1, (200, 6, 5, 2)).astype(np.float32)
    annotated = Quantize(2, correct_biases=False).annotate(graph, x)
    node, seen = annotated.nodes[0], torch.from_numpy(x)
    wanted = mean_output(node, seen, annotated.constant("w"), annotated.constant("b"))
    assert torch.allclose(wanted.float(), by_hand(node, graph, seen), atol=1e-4)
    bias = corrected_bias(annotated, node, wanted, seen)
    changed = annotated.with_tensors(bias)
    again = corrected_bias(changed, node, wanted, seen)
    assert not np.allclose(bias.data, annotated.constant("b"), atol=1e-3)  # type: ignore[arg-type]
    assert np.allclose(again.data, bias.data, atol=1e-5)  # type: ignore[arg-type]


def by_hand(node: Node, graph: Graph, x: torch.Tensor) -> torch.Tensor:
    """The mean by linearity: of the sums without an activation."""
    from dataclasses import replace

    op = replace(node.op, activation="none")  # type: ignore[type-var]
    y = op.float_meaning([x, *(torch.from_numpy(graph.constant(c)) for c in ("w", "b"))])
    return y.mean(tuple(range(y.dim() - 1)))

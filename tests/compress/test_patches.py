"""A layer's outputs are its patches times its matrix, for every kind of layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pintsize.compress.patches import as_matrix, from_matrix, patches
from pintsize.graph import Op
from pintsize.ops import Conv2d, DepthwiseConv2d, Linear

LAYERS = [
    pytest.param(Conv2d((2, 1), (1, 0, 2, 1), (1, 2)), (5, 3, 2, 4), (7, 6, 4), id="conv2d"),
    pytest.param(DepthwiseConv2d((1, 2), (1, 1, 0, 2), multiplier=2), (3, 2, 8), (6, 5, 4), id="depthwise"),
    pytest.param(Linear(), (5, 4), (3, 4), id="linear"),
]


@pytest.mark.parametrize(("op", "weight_shape", "shape"), LAYERS)
def test_patches_times_the_matrix_are_the_outputs(
    op: Op, weight_shape: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    draw = np.random.default_rng(0)
    weight = draw.normal(0, 1, weight_shape).astype(np.float32)
    x = torch.from_numpy(draw.normal(0, 1, (3, *shape)).astype(np.float32))
    outputs = weight_shape[-1] if len(weight_shape) == 3 else weight_shape[0]
    wanted = op.float_meaning([x, torch.from_numpy(weight), torch.zeros(outputs)]).reshape(-1, outputs)
    (found,) = patches(op, weight_shape, [x], 10**6)
    products = found @ as_matrix(op, weight).transpose(1, 2)  # (G, R, O/G)
    assert torch.allclose(products.permute(1, 0, 2).reshape(-1, outputs), wanted, atol=1e-5)


@pytest.mark.parametrize(("op", "weight_shape", "shape"), LAYERS)
def test_a_matrix_goes_back_to_its_weight(
    op: Op, weight_shape: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    weight = np.random.default_rng(0).normal(0, 1, weight_shape).astype(np.float32)
    assert np.array_equal(from_matrix(op, as_matrix(op, weight), weight_shape), weight)


def test_few_are_drawn_at_the_same_places_of_all_inputs() -> None:
    x = torch.randn(4, 6, 6, 2, generator=torch.Generator().manual_seed(0))
    one, two = patches(Conv2d(), (3, 2, 2, 2), [x, 2 * x], 17)
    assert one.shape == (1, 17, 8)
    assert torch.equal(2 * one, two)
    assert len({tuple(row) for row in one[0].tolist()}) == 17

"""Which operands fit each other, and how kernels walk over them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pintsize.ops.broadcast import aligned, broadcast_shape, spread

Shape = tuple[int, ...]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Shape, Shape]:
    shape = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    ones = st.lists(st.booleans(), min_size=len(shape), max_size=len(shape))
    a, b = (tuple(1 if one else n for n, one in zip(shape, draw(ones), strict=True)) for _ in range(2))
    missing = draw(st.integers(0, len(shape) - 1))
    return (a[missing:], b) if draw(st.booleans()) else (a, b[missing:])


@given(pairs())
def test_kernels_walk_as_numpy_repeats(pair: tuple[Shape, Shape]) -> None:
    walk = spread(*pair)
    index = np.indices(walk.extents).reshape(4, -1)
    arrays = [np.arange(np.prod(shape)).reshape(shape) for shape in pair]
    for expected, strides in zip(np.broadcast_arrays(*arrays), (walk.a_strides, walk.b_strides), strict=True):
        assert (np.array(strides) @ index).tolist() == expected.reshape(-1).tolist()
    assert broadcast_shape("add", *pair) == np.broadcast_shapes(*pair)


@given(pairs())
def test_torch_repeats_alike_behind_the_batch(pair: tuple[Shape, Shape]) -> None:
    a, b = aligned(torch.ones(5, *pair[0]), torch.ones(5, *pair[1]))
    assert (a + b).shape == (5, *np.broadcast_shapes(*pair))


@pytest.mark.parametrize("b", [(4, 2, 6), (5,), (3, 5, 6)])
def test_others_are_refused_with_what_would_fit(b: Shape) -> None:
    with pytest.raises(
        ValueError, match=r"add: .* does not fit \(4, 5, 6\).* must be equal, or one of them 1"
    ):
        broadcast_shape("add", (4, 5, 6), b)


def test_a_pattern_beyond_the_kernels_is_refused() -> None:
    with pytest.raises(ValueError, match="by turns"):
        broadcast_shape("mul", (2, 1, 2, 1, 2), (1, 2, 1, 2, 1))

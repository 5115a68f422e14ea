"""Which second operands fit the first."""

from __future__ import annotations

import pytest
import torch

from pintsize.ops.broadcast import broadcast_shape, core_shape, trailing


@pytest.mark.parametrize("b", [(4, 5, 6), (5, 6), (1, 5, 6), (6,), (1, 1, 6), (1, 6)])
def test_a_trailing_part_repeats(b: tuple[int, ...]) -> None:
    a = (4, 5, 6)
    assert broadcast_shape("add", a, b) == a
    y = torch.randn(2, *b)
    expected = torch.randn(2, *a)
    assert torch.equal(expected + trailing(y, expected), expected + y.reshape(2, *(1,) * (3 - len(b)), *b))


@pytest.mark.parametrize("b", [(4, 1, 6), (4, 5, 1), (5,), (2, 4, 5, 6), (1, 1, 1)])
def test_anything_else_is_refused_with_what_would_fit(b: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"add: .* does not fit \(4, 5, 6\).* such as \(1, 1, 6\)"):
        broadcast_shape("add", (4, 5, 6), b)


def test_leading_ones_are_dropped_but_for_the_last() -> None:
    assert core_shape((1, 1, 6)) == (6,)
    assert core_shape((1, 3, 1)) == (3, 1)
    assert core_shape((1, 1)) == (1,)

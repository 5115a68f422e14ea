"""An op refuses inputs that do not fit it and says what would."""

from __future__ import annotations

import pytest

from pintsize.graph import Op, TensorType
from pintsize.ops import (
    AveragePool2d,
    BatchNorm,
    Concat,
    Conv2d,
    DepthwiseConv2d,
    Linear,
    Pad,
    Reshape,
    Softmax,
    Transpose,
)

Shapes = tuple[tuple[int, ...], ...]
MISFITS: list[tuple[Op, Shapes, str]] = [
    (Conv2d(), ((5, 5, 3), (8, 3, 3, 4), (8,)), r"it must be \(out, kh, kw, 3\)"),
    (Conv2d(), ((5, 5, 3), (8, 7, 3, 3), (8,)), r"window \(7, 3\) .* is larger than the input"),
    (Conv2d(), ((25, 3), (8, 3, 3, 3), (8,)), r"needs an input \(height, width, channels\)"),
    (DepthwiseConv2d(multiplier=2), ((5, 5, 3), (3, 3, 3), (3,)), r"must be \(kh, kw, 6\)"),
    (Linear(), ((7,), (3, 8), (3,)), r"it must be \(out, 7\)"),
    (Concat(), ((4, 4, 1), (4, 5, 1)), "may differ only in the last axis"),
    (AveragePool2d(padding=(0, 0, 2, 0)), ((4, 4, 1),), "average_pool2d: padding"),
    (Pad((1, 1, 1, 1)), ((16,),), r"needs an input \(height, width, channels\)"),
    (Reshape((3, -1)), ((4, 4, 1),), r"has 16 elements, \(3, -1\) does not"),
    (Transpose((0, 2, 2)), ((4, 5, 6),), "must be an order of the 3 axes"),
    (Transpose((0, 1, 2, 3, 4)), ((1, 2, 3, 4, 5),), "at most 4 are allowed"),
    (Softmax(), ((5000,),), "must have 1 to 4095 numbers"),
    (BatchNorm(), ((4, 4, 3), (3,), (3,), (3,), (2,)), r"statistics must be \(3,\)"),
]


@pytest.mark.parametrize(
    ("op", "shapes", "reason"), MISFITS, ids=[f"{m[0].name}-{i}" for i, m in enumerate(MISFITS)]
)
def test_misfits_are_refused(op: Op, shapes: Shapes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        op.shape([TensorType(s) for s in shapes])

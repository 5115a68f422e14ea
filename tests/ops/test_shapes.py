"""An op refuses inputs that do not fit it and says what would."""

from __future__ import annotations

import pytest

from pintsize.graph import Op, TensorType
from pintsize.ops import (
    Argmax,
    AveragePool2d,
    BatchNorm,
    Concat,
    Conv2d,
    DepthwiseConv2d,
    Gather,
    LayerNorm,
    Linear,
    LogSoftmax,
    Matmul,
    Maximum,
    Mean,
    Pad,
    Prelu,
    Reshape,
    ResizeNearest,
    Slice,
    Softmax,
    Sub,
    Sum,
    Tile,
    Transpose,
    TransposeConv2d,
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
    (Concat(1), ((4, 4, 1), (5, 5, 1)), "may differ only in axis 1"),
    (Concat(3), ((4, 4, 1), (4, 4, 1)), r"axis 3 must lie in -3..2"),
    (Pad((1, 1, 1, 1)), ((16,),), r"an image is \(height, width, channels\)"),
    (Pad((0, 3), "reflect"), ((3,),), "mirrors more than the axis of 3"),
    (Slice((0,), (1,), ()), ((4, 4, 1),), "needs one begin, end and stride"),
    (Slice((0,), (2,), (0,)), ((4,),), "must not be 0"),
    (Slice((3,), (2,), (1,)), ((4,),), "takes nothing"),
    (Gather((0, 4), 1), ((2, 4),), r"must lie in 0..3, axis 1"),
    (Tile((2,)), ((2, 4),), "at least 1 for each of the axes"),
    (Sub(), ((2, 4), (3, 4)), r"sub: \(3, 4\) does not fit \(2, 4\)"),
    (Maximum(), ((2, 4), (3, 4)), "maximum: .* does not fit"),
    (Prelu(), ((1, 4), (3, 4)), "must not be more"),
    (Mean((0, 0)), ((2, 4),), "each once"),
    (Mean((0, 1)), ((2, 4),), "must stay"),
    (Sum((0,)), ((2**22 + 1, 1),), "more than 4194304 numbers"),
    (Argmax(), ((257,),), "at most 256 numbers"),
    (Argmax(), ((10,),), "keep it, then reshape"),
    (ResizeNearest((0, 3)), ((4, 4, 1),), "must be positive"),
    (ResizeNearest((2, 3)), ((16,),), r"needs an input \(height, width, channels\)"),
    (LogSoftmax(), ((5000,),), "must have 1 to 4095 numbers"),
    (Reshape((3, -1)), ((4, 4, 1),), r"has 16 elements, \(3, -1\) does not"),
    (Transpose((0, 2, 2)), ((4, 5, 6),), "must be an order of the 3 axes"),
    (Transpose((0, 1, 2, 3, 4)), ((1, 2, 3, 4, 5),), "at most 4 are allowed"),
    (Softmax(), ((5000,),), "must have 1 to 4095 numbers"),
    (Softmax(0.0), ((5,),), "beta 0.0 must be positive"),
    (TransposeConv2d(), ((5, 5, 3), (8, 3, 3, 4), (8,)), "does not fit input"),
    (
        TransposeConv2d(padding=(-1, 0, 0, 0)),
        ((5, 5, 3), (8, 3, 3, 3), (8,)),
        "at least 0 at the top and left",
    ),
    (TransposeConv2d(padding=(2, 3, 0, 0)), ((3, 3, 3), (8, 3, 3, 3), (8,)), "leaves nothing"),
    (Matmul(), ((2, 3, 4), (3, 4, 5)), "the same axes before the last two"),
    (Matmul(transposed_b=True), ((3, 4), (4, 5)), r"\(4, 5\) transposed: it sums over 4 and 5"),
    (Matmul(), ((4,), (4, 5)), "must be matrices"),
    (LayerNorm(), ((4, 5), (4,), (4,)), r"one number per channel of the input \(4, 5\)"),
    (BatchNorm(), ((4, 4, 3), (3,), (3,), (3,), (2,)), r"statistics must be \(3,\)"),
]


@pytest.mark.parametrize(
    ("op", "shapes", "reason"), MISFITS, ids=[f"{m[0].name}-{i}" for i, m in enumerate(MISFITS)]
)
def test_misfits_are_refused(op: Op, shapes: Shapes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        op.shape([TensorType(s) for s in shapes])

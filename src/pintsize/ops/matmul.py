"""Matrix product of two tensors that both depend on the input. Inputs (…, M, K) and (…, K, N) → (…, M, N).

    out[…, m, n] = Σ a[…, m, k] · b[…, k, n]

The axes before the last two are equal, or all 1 in b: then every matrix of a is multiplied by the same one.

Integers: acc = Σ (a - zero_point_a) · (b - zero_point_b) in int32, requantized by s_a·s_b / s_out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import FLOAT32_EXACT, Grid, Quantized, requantize, scale_product
from pintsize.deferred import torch
from pintsize.graph import Channels, Node, Op, TensorType
from pintsize.ops.example import Example, array

#: that many products of two differences of int8 codes stay below 2^30
LARGEST_SUM = 16_384


@dataclass(frozen=True)
class Matmul(Op):
    """`transposed_a`: a is (…, K, M) as it lies in memory; `transposed_b`: b is (…, N, K)."""

    name: ClassVar[str] = "matmul"
    integer_gradient: ClassVar[bool] = True
    follows_axes: ClassVar[bool] = True
    transposed_a: bool = False
    transposed_b: bool = False

    def sizes(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, int, int, int]:
        """(matrices, M, K, N). Raises ValueError when the shapes do not fit."""
        if len(a) < 2 or len(a) != len(b) or not (a[:-2] == b[:-2] or prod(b[:-2]) == 1):
            raise ValueError(
                f"matmul: {a} and {b} must be matrices, with the same axes before the last two (or 1 in the second)"
            )
        rows, inner = a[-2:][::-1] if self.transposed_a else a[-2:]
        same, columns = b[-2:][::-1] if self.transposed_b else b[-2:]
        if inner != same or inner > LARGEST_SUM:
            raise ValueError(
                f"matmul: {a}{' transposed' * self.transposed_a} does not fit {b}{' transposed' * self.transposed_b}: "
                f"it sums over {inner} and {same}, which must be equal and at most {LARGEST_SUM}"
            )
        return prod(a[:-2]), rows, inner, columns

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        a, b = inputs[0].shape, inputs[1].shape
        _, rows, _, columns = self.sizes(a, b)
        return (*a[:-2], rows, columns)

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        a, b = inputs
        return (a.mT if self.transposed_a else a) @ (b.mT if self.transposed_b else b)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        a, b = inputs
        inner = a.q.shape[-2 if self.transposed_a else -1]
        dtype = torch.float32 if inner * 255 * 255 < FLOAT32_EXACT else torch.float64
        acc = self.float_meaning([(t.q - t.zero_point).to(dtype) for t in (a, b)])
        return requantize(acc, scale_product(a.scale, b.scale), out)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        a, b = inputs
        if a.ndim > 1 or b.ndim > 1:
            return self._heads(a, b, shapes, flow)
        if self.transposed_b and not self.transposed_a:
            flow.unite(a, b)
        else:
            flow.keep(a)
        if not self.transposed_b:
            return b
        if self.transposed_a:
            flow.keep(b)
        rows = flow.new(shapes[1][-2])
        flow.keep(rows)
        return rows

    def _heads(
        self, a: np.ndarray, b: np.ndarray, shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        """Matrices that live or die as a whole, each with its partner: (heads, 1, …) on both sides."""
        same = a.ndim == b.ndim == len(shapes[0]) == 3 and a.shape[0] == b.shape[0] == shapes[0][0]
        if not same or a.shape[1] != 1 or b.shape[1] != 1:
            flow.keep(a)
            flow.keep(b)
            columns = flow.new(self.shape([TensorType(s) for s in shapes])[-1])
            flow.keep(columns)
            return columns
        for each in (a, b):
            flow.unite(each[:, 0, :-1].reshape(-1), each[:, 0, 1:].reshape(-1))
        flow.unite(a[:, 0, 0], b[:, 0, 0])
        return a[:, :, :1] if self.transposed_b else b

    def macs(self, inputs: Sequence[TensorType], out: TensorType) -> int:
        return out.elements * inputs[0].shape[-2 if self.transposed_a else -1]


EXAMPLES = (
    Example(Matmul(), (array((1, 2), 3, -2), array((2, 2), 1, 2, 0.5, 4)), array((1, 2), 2, -2)),
    Example(  # two matrices each
        Matmul(transposed_b=True),
        (array((2, 1, 2), 1, 2, 3, 4), array((2, 2, 2), 1, 1, 2, -1, 1, 0, 0, 1)),
        array((2, 1, 2), 3, 0, 3, 4),
    ),
    Example(  # the same second for all
        Matmul(transposed_a=True),
        (array((2, 2, 1), 1, 2, 3, 4), array((1, 2, 1), 2, 1)),
        array((2, 1, 1), 4, 10),
    ),
    Example(
        Matmul(transposed_a=True, transposed_b=True),
        (array((2, 1), 1, 2), array((3, 2), 1, 0, 0, 1, 1, 1)),
        array((1, 3), 1, 2, 3),
    ),
)

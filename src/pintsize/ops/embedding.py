"""Rows of a table, looked up by whole numbers. Input (…,) of ids, weight (C, ids), bias (C,) → (…, C).

    out[…, c] = bias[c] + weight[c, id[…]]

The table lies channels first, as the weight of a linear layer over one-hot ids would: channels have scales of their
own. An id below 0 or beyond the table means its first or last row: whatever comes in, nothing else is read.

Integers: the input is an index, exact on the grid that `ids_grid` gives it: scale 1, int8 from the zero point -128 for
up to 256 ids, else int16. acc = bias[c] + weight[c, id] in int32, requantized by s_w[c] / s_out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized, requantize_weighted, scale_product
from pintsize.deferred import F, torch
from pintsize.graph import Channels, DType, Graph, Node, Op, OverTime, TensorType
from pintsize.ops.example import Example, array

#: ids are int16 codes with the zero point 0
MOST_IDS = 1 << 15


@dataclass(frozen=True)
class Embedding(Op):
    """The first layer of a network that reads tokens."""

    name: ClassVar[str] = "embedding"
    integer_gradient: ClassVar[bool] = True
    activations: ClassVar[int | None] = 1
    takes_ids: ClassVar[bool] = True

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        x, w, b = (t.shape for t in inputs)
        if len(w) != 2 or b != w[:1] or not 1 <= w[1] <= MOST_IDS:
            raise ValueError(
                f"embedding: table {w} and bias {b} must be (channels, ids) and (channels,), at most {MOST_IDS} ids"
            )
        return (*x, w[0])

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        x, w, b = inputs
        return F.embedding(x.round().clamp(0, w.shape[1] - 1).long(), w.t()) + b

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x, w, b = inputs
        acc = self.float_meaning([x.q.detach() - x.zero_point, w.q.double(), b.q.double()])
        return requantize_weighted(acc, scale_product(x.scale, w.scale), out)

    def largest_weighed(self, x: TensorType) -> int:
        return 1

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        return OverTime(axes[0])

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        out = flow.new(shapes[1][0])
        flow.slice(node.inputs[1], 0, out)
        flow.slice(node.inputs[2], 0, out)
        return out


def ids_read(graph: Graph) -> int:
    """How many ids there are for a Graph whose input holds ids; 0 where it holds numbers."""
    return max((graph.type(n.inputs[1]).shape[1] for n in graph.nodes if n.op.takes_ids), default=0)


def ids_grid(count: int) -> tuple[DType, float, int]:
    """(dtype, scale, zero point) of an input that holds the ids 0 … count - 1."""
    return ("int8", 1.0, -128) if count <= 256 else ("int16", 1.0, 0)


EXAMPLES = (
    Example(
        Embedding(),
        (array((3,), 2, 0, 2), array((2, 3), 1, 2, 3, -4, -5, -6), array((2,), 0, 0.5)),
        array((3, 2), 3, -5.5, 1, -3.5, 3, -5.5),
    ),
    Example(  # beyond the table is its last row
        Embedding(),
        (array((2, 2), 0, 1, 2, 200), array((1, 2), 1, 2), array((1,), 0)),
        array((2, 2, 1), 1, 2, 2, 2),
    ),
)

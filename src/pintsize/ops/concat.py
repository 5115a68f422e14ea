"""Concatenation along the last axis. Inputs (…, C1), (…, C2), … → (…, C1 + C2 + …).

Integers: an input on the output's grid is copied; any other is requantized by s_in / s_out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from pintsize.arithmetic import Grid, Quantized, requantize
from pintsize.graph import Channels, Node, Op, TensorType
from pintsize.ops.example import Example, array


@dataclass(frozen=True)
class Concat(Op):
    """Joins channels."""

    name: ClassVar[str] = "concat"
    ties_types: ClassVar[bool] = True
    integer_gradient: ClassVar[bool] = True

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        leading = inputs[0].shape[:-1]
        if any(t.shape[:-1] != leading for t in inputs):
            raise ValueError(f"concat: shapes {[t.shape for t in inputs]} may differ only in the last axis")
        return (*leading, sum(t.shape[-1] for t in inputs))

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return torch.cat(list(inputs), -1)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        return torch.cat([_on_grid(x, out) for x in inputs], -1)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        return np.concatenate(list(inputs))


def _on_grid(x: Quantized, out: Grid) -> torch.Tensor:
    if float(x.scale.detach()) == float(out.scale.detach()) and x.zero_point == out.zero_point:
        return x.q
    return requantize(x.q - x.zero_point, x.scale.double(), out)


EXAMPLES = (
    Example(
        Concat(),
        (array((1, 2, 1), 1, 2), array((1, 2, 2), -3, 4, 5, -6)),
        array((1, 2, 3), 1, -3, 4, 2, 5, -6),
    ),
    Example(Concat(), (array((1,), 1), array((2,), 2, 3), array((1,), -4)), array((4,), 1, 2, 3, -4)),
)

"""Layer normalization over the last axis. Input (…, C), weight (C,), bias (C,) → (…, C).

    out[…, c] = (in[…, c] - mean) / √(variance + ε) · weight[c] + bias[c], mean and variance of the C numbers of a row

Integers, for a row q of C codes; scale and zero point of the input cancel out but for ε:

    deviation[c] = C·q[c] - Σ q                       exact in int32
    spread       = C·Σ q² - (Σ q)² + round(ε·C²/s²)   exact in int64; C² times the variance, at least 1
    unit[c]      = deviation[c] / √spread             with 12 fractional bits, halves up
    acc          = unit[c]·weight[c] + bias[c]        in int32; the bias is on the grid s_w[c] / 2^12

and acc is requantized by s_w[c] / 2^12 / s_out. The reciprocal root is `reciprocal_root` of arithmetic.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import (
    LAYER_NORM_BITS,
    LAYER_NORM_LARGEST_ROW,
    Grid,
    Quantized,
    normalized,
    requantize,
)
from pintsize.deferred import F, torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.example import Example, array
from pintsize.ops.time_axis import within_rows


@dataclass(frozen=True)
class LayerNorm(Op):
    """What transformers have in place of batch norm; it depends on each input, so it cannot be folded."""

    name: ClassVar[str] = "layer_norm"
    activations: ClassVar[int | None] = 1
    weighed_scale: ClassVar[float | None] = 2.0**-LAYER_NORM_BITS
    epsilon: float = 1e-5

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        x, w, b = (t.shape for t in inputs)
        if not x or w != x[-1:] or b != w or x[-1] > LAYER_NORM_LARGEST_ROW:
            raise ValueError(
                f"layer_norm: weight {w} and bias {b} must hold one number per channel of the input {x}, "
                f"at most {LAYER_NORM_LARGEST_ROW}"
            )
        return x

    def largest_weighed(self, x: TensorType) -> int:
        """No deviation is further than √(C - 1) times the standard deviation."""
        return (isqrt(x.shape[-1]) + 1) << LAYER_NORM_BITS

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        x, w, b = inputs
        return F.layer_norm(x, w.shape, w, b, self.epsilon)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x, w, b = inputs
        unit = normalized(x.q.detach(), float(x.scale), self.epsilon)
        return requantize(unit * w.q.double() + b.q.double(), w.scale.double() * 2.0**-LAYER_NORM_BITS, out)

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        return within_rows(inputs[0], axes[0])

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        """Without one of them the others' mean and variance are estimates, which training puts right."""
        flow.slice(node.inputs[1], 0, inputs[0])
        flow.slice(node.inputs[2], 0, inputs[0])
        return inputs[0]

    def macs(self, inputs: Sequence[TensorType], out: TensorType) -> int:
        return out.elements


EXAMPLES = (
    Example(  # deviations of one standard deviation
        LayerNorm(epsilon=0.0),
        (array((1, 1, 2), 3, 7), array((2,), 1, 0.5), array((2,), 0, 1)),
        array((1, 1, 2), -1, 1.5),
    ),
    Example(  # row by row; without a spread only the bias is left
        LayerNorm(),
        (array((2, 4), -5, -5, 5, 5, 2, 2, 2, 2), array((4,), 1, -2, 0, 3), array((4,), 0, 0, 1, 0.5)),
        array((2, 4), -1, 2, 1, 3.5, 0, 0, 1, 0.5),
    ),
)

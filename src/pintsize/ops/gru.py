"""Gated recurrent unit over a sequence. Input (T, C) → (T, H), from a state of zeros.

    r, z = sigmoid(W x[t] + b + R h[t-1] + d);  h[t] = (1 - z)·n + z·h[t-1]
    n = tanh(W x[t] + b + r·(R h[t-1] + d))  or, with reset_after false,  tanh(W x[t] + b + R (r·h[t-1]) + d)

Constants, gates in the order r, z, n: weight W (H, 3, C), recurrent weight R (H, 3, H), biases b and d (H, 3). As
torch.nn.GRU with one layer and one direction; reset_after is ONNX's linear_before_reset.

Integers, in the style of lstm (TFLite has no GRU): W x + b and R h + d are requantized to int16 with 12 fractional bits
each, then added; gates have 15 fractional bits. The state is int16 with 15 fractional bits, since |h| <= 1, so that
slow units do not stand still; what is given out, and read again by R, is its int8 code on the output's grid. So is r·h
where R reads that. Every sum and product saturates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized, factors
from pintsize.deferred import torch
from pintsize.gates import GATE_SCALE, gate_factors, product, rescale, saturate, sigmoid, tanh
from pintsize.graph import TensorType
from pintsize.ops.example import Example, array
from pintsize.ops.recurrent import Gated, by_gate

ONE = 1 << 15


@dataclass(frozen=True)
class Gru(Gated):
    """`reset_after`: r multiplies after the recurrent weight, as in torch and Keras; else before it."""

    name: ClassVar[str] = "gru"
    gates: ClassVar[int] = 3
    biases: ClassVar[Mapping[int, int]] = {3: 1, 4: 2}
    reset_after: bool = True

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        x, w, r, b, d = inputs
        hidden = x.new_zeros(len(x), len(w))
        outputs: list[torch.Tensor] = []
        for step in (by_gate(x, w) + b).unbind(1):
            again = by_gate(hidden, r) + d
            reset, update = torch.sigmoid(step + again)[..., :2].unbind(-1)
            before = by_gate(reset * hidden, r[:, 2:])[..., 0] + d[:, 2]
            more = reset * again[..., 2] if self.reset_after else before
            new = torch.tanh(step[..., 2] + more)
            hidden = (1 - update) * new + update * hidden
            outputs.append(hidden)
        return torch.stack(outputs, 1)

    def carried(self, inputs: Sequence[TensorType], out: TensorType) -> tuple[TensorType, ...]:
        return (TensorType(out.shape[1:], "int16", (GATE_SCALE,)),)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        zeros = torch.zeros((len(inputs[0].q), len(inputs[1].q)), dtype=torch.float64)
        return self.carry(inputs, out, (zeros,))[0]

    def carry(
        self, inputs: Sequence[Quantized], out: Grid, states: Sequence[torch.Tensor]
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        x, w, r, b, d = inputs
        acc = by_gate((x.q - x.zero_point).double(), w.q.double()) + b.q.double()
        recurrent = gate_factors(out.scale, r.scale)
        to_output = factors(torch.tensor(GATE_SCALE), out.scale)

        def codes(state: torch.Tensor) -> torch.Tensor:
            return (rescale(state, to_output) + out.zero_point).clamp(out.low, out.high)

        def again(read: torch.Tensor) -> torch.Tensor:
            return rescale(
                (by_gate((read - out.zero_point).double(), r.q.double()) + d.q.double()).long(), recurrent
            )

        state = states[0].long()
        outputs: list[torch.Tensor] = []
        for step in rescale(acc.long(), gate_factors(x.scale, w.scale)).unbind(1):
            more = again(codes(state))
            reset, update = sigmoid(saturate(step + more)[..., :2]).unbind(-1)
            last = (
                product(reset, more[..., 2], 15)
                if self.reset_after
                else again(codes(product(reset, state, 15)))[..., 2]
            )
            new = tanh(saturate(step[..., 2] + last))
            state = saturate(product(ONE - update, new, 15) + product(update, state, 15))
            outputs.append(codes(state))
        return torch.stack(outputs, 1).float(), (state.double(),)


def _sigmoid(x: float) -> float:
    return 1 / (1 + np.exp(-x))


_H1 = 0.5 * np.tanh(2)  # z = sigmoid(0), n = tanh(2 x + r·0)
_H2_AFTER = 0.5 * np.tanh(-1 + _sigmoid(1) * 3 * _H1) + 0.5 * _H1
_H2_BEFORE = 0.5 * np.tanh(-1 + 3 * (_sigmoid(1) * _H1)) + 0.5 * _H1
_ONE_UNIT = (
    array((2, 1), 1, -0.5),
    array((1, 3, 1), 0, 0, 2),
    array((1, 3, 1), 0, 0, 3),
    array((1, 3), 1, 0, 0),
    array((1, 3), 0, 0, 0),
)

EXAMPLES = (
    Example(Gru(), _ONE_UNIT, array((2, 1), _H1, _H2_AFTER)),
    Example(Gru(False), _ONE_UNIT, array((2, 1), _H1, _H2_BEFORE)),
    Example(  # the recurrent bias counts at the first step too; the second unit keeps what it has, nothing
        Gru(),
        (
            array((1, 1), 0),
            array((2, 3, 1), 0, 0, 0, 0, 0, 0),
            array((2, 3, 2), *[0.0] * 12),
            array((2, 3), 0, 0, 0, 0, 50, 1),
            array((2, 3), 0, 0, 2, 0, 0, 1),
        ),
        array((1, 2), 0.5 * np.tanh(1), 0),
    ),
)

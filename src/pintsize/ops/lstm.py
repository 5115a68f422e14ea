"""Long short-term memory over a sequence. Input (T, C) → (T, H), from a state of zeros.

    i, f, o = sigmoid(W x[t] + R h[t-1] + b), g = tanh(…) alike;  c[t] = f·c[t-1] + i·g;  h[t] = o · tanh(c[t])

Constants, gates in the order i, f, g, o: weight W (H, 4, C), recurrent weight R (H, 4, H), bias b (H, 4). As
torch.nn.LSTM with one layer and one direction; its two biases are one here.

Integers: TFLite Micro's UNIDIRECTIONAL_SEQUENCE_LSTM of int8. W x + b and R h are requantized to int16 with 12
fractional bits each, then added; gates have 15 fractional bits; c is int16 with the scale 2^cell_exponent; h is on the
output's grid, also where it is read again. Every sum and product saturates. With int16 activations, as its variant with
8-bit weights: W x + b and R h are sums of 64 bits, rounded once; the rest is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, log2
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized, factors
from pintsize.deferred import torch
from pintsize.gates import (
    GATE_SCALE,
    INT16_MAX,
    gate_factors,
    product,
    rescale,
    rescale_once,
    saturate,
    sigmoid,
    tanh,
)
from pintsize.graph import TensorType
from pintsize.ops.example import Example, array
from pintsize.ops.recurrent import Gated, by_gate

CELL_EXPONENTS = range(-15, -3)
#: finer than what the table of tanh tells apart
LEAST_FITTED_EXPONENT = -12


@dataclass(frozen=True)
class Lstm(Gated):
    """`cell_exponent`: of 2, the cell's scale; `cell_clip`: bound of the cell's magnitude, 0 for none."""

    name: ClassVar[str] = "lstm"
    int16: ClassVar[bool] = True
    gates: ClassVar[int] = 4
    cell_exponent: int = -11
    cell_clip: float = 0.0

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        if self.cell_exponent not in CELL_EXPONENTS:
            raise ValueError(
                f"lstm: cell scale 2^{self.cell_exponent} must be 2^{CELL_EXPONENTS[0]} to 2^{CELL_EXPONENTS[-1]}"
            )
        return super().shape(inputs)

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return self._run(inputs)[0]

    def _run(self, inputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Outputs and cells of all steps, each (n, T, H)."""
        x, w, r, b = inputs
        hidden = cell = x.new_zeros(len(x), len(w))
        outputs: list[torch.Tensor] = []
        cells: list[torch.Tensor] = []
        for step in (by_gate(x, w) + b).unbind(1):
            i, f, g, o = (step + by_gate(hidden, r)).unbind(-1)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
            if self.cell_clip > 0:
                cell = cell.clamp(-self.cell_clip, self.cell_clip)
            hidden = torch.sigmoid(o) * torch.tanh(cell)
            outputs.append(hidden)
            cells.append(cell)
        return torch.stack(outputs, 1), torch.stack(cells, 1)

    def inner_range(self, inputs: Sequence[torch.Tensor]) -> float:
        """The cell's largest magnitude on real inputs."""
        return float(self._run(inputs)[1].abs().max())

    def with_inner_range(self, largest: float) -> Lstm:
        """The op whose cell holds twice that before it saturates."""
        exponent = ceil(log2(max(2 * largest, 1e-9) / INT16_MAX))
        return replace(self, cell_exponent=min(max(exponent, LEAST_FITTED_EXPONENT), CELL_EXPONENTS[-1]))

    @property
    def clip_code(self) -> int:
        """The bound in codes of the cell, 0 for none."""
        return min(int(self.cell_clip / 2.0**self.cell_exponent), INT16_MAX)

    def carried(self, inputs: Sequence[TensorType], out: TensorType) -> tuple[TensorType, ...]:
        """The cell and the last output."""
        shape = out.shape[1:]
        return TensorType(shape, "int16", (2.0**self.cell_exponent,)), replace(out, shape=shape)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        cell = torch.zeros((len(inputs[0].q), len(inputs[1].q)), dtype=torch.float64)
        return self.carry(inputs, out, (cell, torch.full_like(cell, out.zero_point)))[0]

    def carry(
        self, inputs: Sequence[Quantized], out: Grid, states: Sequence[torch.Tensor]
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        x, w, r, b = inputs
        to_gate = rescale if x.bits == 8 else rescale_once
        acc = by_gate((x.q - x.zero_point).double(), w.q.double()) + b.q.double()
        from_input = to_gate(acc.long(), gate_factors(x.scale, w.scale))
        recurrent = gate_factors(out.scale, r.scale)
        cell, hidden = states[0].long(), states[1]
        outputs: list[torch.Tensor] = []
        for step in from_input.unbind(1):
            acc = by_gate(hidden - out.zero_point, r.q.double()).long()
            cell, hidden = self._update(saturate(step + to_gate(acc, recurrent)), cell, out)
            outputs.append(hidden)
        return torch.stack(outputs, 1).float(), (cell.double(), hidden)

    def _update(
        self, gates: torch.Tensor, cell: torch.Tensor, out: Grid
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """gates (n, H, 4) before their functions → the new cell (int64) and hidden codes (float64), each (n, H)."""
        i, f, g, o = gates.unbind(-1)
        kept = product(sigmoid(f), cell, 15)
        cell = saturate(kept + product(sigmoid(i), tanh(g), 30 + self.cell_exponent))
        if self.clip_code:
            cell = cell.clamp(-self.clip_code, self.clip_code)
        factor = factors(torch.tensor(GATE_SCALE * GATE_SCALE), out.scale)
        steps = rescale(sigmoid(o) * tanh(cell, -self.cell_exponent), factor)
        return cell, (steps + out.zero_point).clamp(out.low, out.high).double()


def _sigmoid(x: float) -> float:
    return 1 / (1 + np.exp(-x))


_C1 = _sigmoid(-1) * np.tanh(2)  # i = sigmoid(-1), g = tanh(2 x)
_H1 = _sigmoid(1) * np.tanh(_C1)
_C2 = 0.5 * _C1 + _sigmoid(3 * _H1 - 1) * np.tanh(-1)  # f = sigmoid(0), i reads h
_H2 = _sigmoid(1) * np.tanh(_C2)

EXAMPLES = (
    Example(  # one unit, two steps
        Lstm(),
        (
            array((2, 1), 1, -0.5),
            array((1, 4, 1), 0, 0, 2, 0),
            array((1, 4, 1), 3, 0, 0, 0),
            array((1, 4), -1, 0, 0, 1),
        ),
        array((2, 1), _H1, _H2),
    ),
    Example(  # two units, the second counts steps until the clip; gates wide open
        Lstm(cell_clip=2.5),
        (
            array((3, 1), 0, 0, 0),
            array((2, 4, 1), 0, 0, 0, 0, 0, 0, 0, 0),
            array((2, 4, 2), *[0.0] * 16),
            array((2, 4), 50, 50, 50, -50, 50, 50, 50, 50),
        ),
        array((3, 2), 0, np.tanh(1), 0, np.tanh(2), 0, np.tanh(2.5)),
    ),
)

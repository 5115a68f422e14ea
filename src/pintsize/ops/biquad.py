"""A recursive filter: second-order sections one after another. Input (n,) or (n, channels) → the same shape.

    y[t] = b0·x[t] + b1·x[t-1] + b2·x[t-2] - a1·y[t-1] - a2·y[t-2]      for each section, from zeros

Integers: `filters.py`, on codes less the zero point; what the last section leaves has 12 fractional bits more than the
input and is requantized by s_in / 2^12 / s_out. The op carries its state: per channel the last two numbers before the
first section and behind each one, and what each section's cut left, int32 each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized, requantize
from pintsize.deferred import torch
from pintsize.filters import (
    COEFFICIENT_LIMIT,
    COEFFICIENTS,
    SIGNAL_BITS,
    biquads,
    coefficient_codes,
    state_size,
)
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.example import Example, array
from pintsize.ops.signal import samples_of


@dataclass(frozen=True)
class Biquad(Op):
    """sections: b0, b1, b2, a1, a2 of the first, then of the next, each within ±2; rate_hz: of the input, 0 where it is
    not said.
    """

    name: ClassVar[str] = "biquad"
    activations: ClassVar[int | None] = 1
    int16: ClassVar[bool] = True
    any_width: ClassVar[bool] = True
    sections: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 0.0)
    rate_hz: float = 0.0

    def __post_init__(self) -> None:
        if not self.sections or len(self.sections) % COEFFICIENTS:
            raise ValueError(
                f"biquad: {len(self.sections)} coefficients must be b0, b1, b2, a1, a2 of each section"
            )
        if not all(abs(c) < COEFFICIENT_LIMIT for c in self.sections):
            raise ValueError(f"biquad: coefficients {self.sections} must be within ±{COEFFICIENT_LIMIT}")
        for a1, a2 in self.poles:
            if not (abs(a2) < 1 and abs(a1) < 1 + a2):
                raise ValueError(f"biquad: a section with a1 {a1} and a2 {a2} is not stable")

    @property
    def count(self) -> int:
        """Sections."""
        return len(self.sections) // COEFFICIENTS

    @property
    def poles(self) -> list[tuple[float, float]]:
        """(a1, a2) of each section."""
        return list(zip(self.sections[3::COEFFICIENTS], self.sections[4::COEFFICIENTS], strict=True))

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        samples_of(self.name, inputs[0])
        return inputs[0].shape

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        y = list(inputs[0].double().unbind(1))
        for i in range(self.count):
            b0, b1, b2, a1, a2 = self.sections[COEFFICIENTS * i : COEFFICIENTS * (i + 1)]
            x1 = x2 = y1 = y2 = torch.zeros_like(y[0])
            for t, value in enumerate(y):
                y[t] = b0 * value + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
                x1, x2, y1, y2 = value, x1, y[t], y1
        return torch.stack(y, 1).float()

    def carried(self, inputs: Sequence[TensorType], out: TensorType) -> tuple[TensorType, ...]:
        """The scale says nothing: the numbers are of several kinds."""
        _, channels = samples_of(self.name, inputs[0])
        return (TensorType((channels, state_size(self.count)), "int32", (1.0,)),)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x = inputs[0].q
        channels = x.shape[2] if x.dim() == 3 else 1
        zeros = torch.zeros((len(x), channels, state_size(self.count)), dtype=torch.float64)
        return self.carry(inputs, out, (zeros,))[0]

    def carry(
        self, inputs: Sequence[Quantized], out: Grid, states: Sequence[torch.Tensor]
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        x, state = inputs[0], states[0]
        codes = (x.q.detach() - x.zero_point).long().numpy()
        moved = np.moveaxis(codes, 1, 0)  # (time, n) or (time, n, channels)
        before = state.long().numpy().reshape(-1, state.shape[-1])
        y, after = biquads(moved.reshape(len(moved), -1), coefficient_codes(self.sections), before)
        acc = torch.from_numpy(np.moveaxis(y.reshape(moved.shape), 0, 1).astype(np.float64))
        found = requantize(acc, x.scale.detach().double() * 2.0**-SIGNAL_BITS, out)
        return found, (torch.from_numpy(after.reshape(state.shape)).double(),)

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        if axes[0]:
            raise ValueError("its channels are along time; transpose its input")
        return OverTime(0, endless=True)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        if len(shapes[0]) == 1:
            flow.keep(inputs[0])
        return inputs[0]

    def inner_factors(self, inputs: Sequence[TensorType], out: TensorType) -> Sequence[float]:
        return (inputs[0].scale[0] * 2.0**-SIGNAL_BITS / out.scale[0],)

    def macs(self, inputs: Sequence[TensorType], out: TensorType) -> int:
        return out.elements * len(self.sections)


EXAMPLES = (
    Example(  # half of each number and of the one before; channels do not mix
        Biquad((0.5, 0.5, 0.0, 0.0, 0.0)),
        (array((3, 2), 4, -2, 8, 0, 0, 0),),
        array((3, 2), 2, -1, 6, -1, 4, 0),
    ),
    Example(  # a decay, and its differences
        Biquad((1.0, 0.0, 0.0, -0.5, 0.0, 1.0, -1.0, 0.0, 0.0, 0.0)),
        (array((4,), 8, 0, 0, 0),),
        array((4,), 8, -4, -2, -1),
    ),
)

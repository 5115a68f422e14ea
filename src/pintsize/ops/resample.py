"""Another sample rate: `up` / `down` of the old one. Input (n,) or (n, channels) → (outputs,) or (outputs, channels).

    output i = Σ taps[i·down mod up, k] · x[i·down // up + k]        for k = 0 … taps - 1

Output 0 lies in the middle of its taps (`delay` of filters.py). There is no padding: outputs come in groups of `up` as
long as all their taps lie within the input, so `down` new samples and the last ones before give the next group.

Integers: taps with 14 fractional bits, of which each set adds up to 1; Σ taps·(x - zero_point) in 32 bits, by 2^14 with
halves up. Input and output share one grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import Grid, Quantized
from pintsize.deferred import torch
from pintsize.filters import TAP_BITS, in_lowest_terms, output_count, resampled, resampling_taps
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.example import Example, array
from pintsize.ops.signal import samples_of


@dataclass(frozen=True)
class Resample(Op):
    """taps: samples that an output depends on; cutoff: where half the amplitude is left, of the lower one of both
    Nyquist frequencies; beta: of Kaiser's window: more suppresses more and passes less near the cutoff; rate_hz: of the
    input, 0 where it is not said.
    """

    name: ClassVar[str] = "resample"
    activations: ClassVar[int | None] = 1
    ties_types: ClassVar[bool] = True
    int16: ClassVar[bool] = True
    up: int = 1
    down: int = 2
    taps: int = 32
    cutoff: float = 0.9
    beta: float = 6.0
    rate_hz: float = 0.0

    def __post_init__(self) -> None:
        if self.up < 1 or self.down < 1 or not in_lowest_terms(self.up, self.down) or self.taps < 2:
            raise ValueError(
                f"resample: {self.up} / {self.down} must be positive and in lowest terms, taps {self.taps} 2 or more"
            )
        if not (0 < self.cutoff <= 1 and self.beta >= 0):
            raise ValueError(
                f"resample: cutoff {self.cutoff} must be in 0..1 and beta {self.beta} not negative"
            )

    @property
    def codes(self) -> np.ndarray:
        """The taps, int64 (up, taps). Raises ValueError where they ring too much."""
        return resampling_taps(self.up, self.down, self.taps, self.cutoff, self.beta)

    @property
    def reach(self) -> int:
        """Samples that a group of `up` outputs depends on."""
        return (self.up - 1) * self.down // self.up + self.taps

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        samples, _ = samples_of(self.name, inputs[0])
        outputs = output_count(samples, self.up, self.down, self.taps)
        if not outputs or len(self.codes) != self.up:
            raise ValueError(
                f"resample: {inputs[0].shape} are too few samples; at least {self.reach} are needed"
            )
        return (outputs, *inputs[0].shape[1:])

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        x = inputs[0].double()
        outputs = output_count(x.shape[1], self.up, self.down, self.taps)
        place = torch.arange(outputs) * self.down
        near = x[:, (place // self.up)[:, None] + torch.arange(self.taps)]  # (n, outputs, taps, …)
        taps = torch.from_numpy(self.codes[place % self.up] * 2.0**-TAP_BITS)
        return torch.einsum("nok...,ok->no...", near, taps).float()

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x = inputs[0]
        codes = np.moveaxis((x.q.detach() - x.zero_point).long().numpy(), 1, -1)
        found = resampled(codes.reshape(-1, codes.shape[-1]), self.codes, self.down)
        y = np.moveaxis(found.reshape(*codes.shape[:-1], -1), -1, 1) + out.zero_point
        return torch.from_numpy(y.clip(out.low, out.high).astype(np.float32))

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        if axes[0]:
            raise ValueError("its channels are along time; transpose its input")
        return OverTime(0, self.down, 0, self.reach - 1, self.up)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        if len(shapes[0]) == 2:
            return inputs[0]
        flow.keep(inputs[0])
        fixed = flow.new(self.shape([TensorType(shapes[0])])[0])
        flow.keep(fixed)
        return fixed

    def macs(self, inputs: Sequence[TensorType], out: TensorType) -> int:
        return out.elements * self.taps


EXAMPLES = (
    Example(  # the mean of two neighbours, at every other place; channels do not mix
        Resample(1, 2, 2, 0.5, 0.0),
        (array((5, 2), 1, 0, 3, 0, 5, 8, 5, -8, 7, 1),),
        array((2, 2), 2, 0, 5, 0),
    ),
    Example(  # a constant stays what it is, at three places for two
        Resample(3, 2, 4),
        (array((6,), 5, 5, 5, 5, 5, 5),),
        array((3,), 5, 5, 5),
    ),
)

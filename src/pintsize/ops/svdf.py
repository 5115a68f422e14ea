"""Singular value decomposition filter over a sequence. Input (T, C) → (T, U), from a memory of zeros.

    s[t] = F x[t];  out[t, u] = act(bias[u] + Σ_r Σ_m s[t - M + 1 + m, u·rank + r] · time[u·rank + r, m])

Constants: feature weight F (U·rank, C), time weight (U·rank, M), bias (U,). A dense layer factored into one over
channels and one over the last M steps (Nakkiran et al., "Compressing Deep Neural Networks using a Rank-Constrained
Topology", 2015). TFLite's SVDF takes one step a call and keeps the memory from call to call; here a run takes all
steps.

Integers: TFLite Micro's SVDF of int8 with int16 time weights: s is int16 with the scale `state_scale`, saturated; the
sum over time is brought to the output's grid. It saturates at ±2^30, where TFLite's overflows at ±2^31.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from pintsize.arithmetic import SHIFTED_MAX, Grid, Quantized, factors
from pintsize.deferred import F, torch
from pintsize.gates import INT16_MAX, rescale
from pintsize.graph import Channels, Node, OverTime, TensorType
from pintsize.ops.activation import Activation, activate
from pintsize.ops.example import Example, array
from pintsize.ops.recurrent import Recurrent, Scale

LEAST_STATE_SCALE = 1e-8


@dataclass(frozen=True)
class Svdf(Recurrent):
    """`rank`: filters per output; `state_scale`: of the int16 numbers in its memory, a float32."""

    name: ClassVar[str] = "svdf"
    weight_axes: ClassVar[Mapping[int, int | None]] = {1: None, 2: None}
    wide_weights: ClassVar[frozenset[int]] = frozenset({2})
    biases: ClassVar[Mapping[int, int]] = {3: 2}
    rank: int = 1
    activation: Activation = "none"
    state_scale: float = 2.0**-11

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        x, w, t, b = (i.shape for i in inputs)
        if len(x) != 2 or not x[0]:
            raise ValueError(f"svdf: needs a sequence (steps, channels), not {x}")
        fits = len(w) == 2 and len(t) == 2 and w[1] == x[1] and w[0] == t[0] and t[1] > 0
        if self.rank < 1 or not fits or b != (w[0] // self.rank,) or w[0] % self.rank or not w[0]:
            raise ValueError(
                f"svdf: weights {w}, {t} and bias {b} do not fit input {x} at rank {self.rank}; they must be "
                f"(units · rank, {x[1]}), (units · rank, memory) and (units,)"
            )
        return x[0], b[0]

    def weighed(self, weight: int, x: Scale, out: Scale) -> Scale | float:
        return x if weight == 1 else self.state_scale

    def requantized_to(self, weight: int, out: float) -> float:
        return self.state_scale if weight == 1 else out

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        x, w, t, b = inputs
        before = F.pad(x @ w.T, (0, 0, t.shape[1] - 1, 0))
        return activate(self._over_time(before, t) + b, self.activation)

    def _over_time(self, states: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """states (n, M - 1 + T, F), weight (F, M) → (n, T, U) without the bias."""
        sums = F.conv1d(states.transpose(1, 2), weight[:, None], groups=len(weight))
        return sums.unflatten(1, (-1, self.rank)).sum(2).transpose(1, 2)

    def inner_range(self, inputs: Sequence[torch.Tensor]) -> float:
        """The memory's largest magnitude on real inputs."""
        return float((inputs[0] @ inputs[1].T).abs().max())

    def with_inner_range(self, largest: float) -> Svdf:
        """The op whose memory holds twice that before it saturates."""
        return replace(self, state_scale=float(np.float32(max(2 * largest / INT16_MAX, LEAST_STATE_SCALE))))

    def inner_scales(self, scale: torch.Tensor, weight: int, out: torch.Tensor) -> torch.Tensor:
        """Factor of a weight's sums, in float64. scale: the weight's; out: of the output, or of x."""
        state = torch.tensor(self.state_scale, dtype=torch.float64)
        scale, out = scale.double(), out.double()
        return out * scale / state if weight == 1 else state * scale / out

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        if axes[0] != 0:
            raise ValueError("its channels are along time; transpose its input")
        return OverTime(0, first=1 - inputs[2].shape[1])

    def carried(self, inputs: Sequence[TensorType], out: TensorType) -> tuple[TensorType, ...]:
        """Each filter's last numbers, the oldest first."""
        return (TensorType(inputs[2].shape, "int16", (self.state_scale,)),)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        zeros = torch.zeros((len(inputs[0].q), *inputs[2].q.shape), dtype=torch.float64)
        return self.carry(inputs, out, (zeros,))[0]

    def carry(
        self, inputs: Sequence[Quantized], out: Grid, states: Sequence[torch.Tensor]
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        x, w, t, b = inputs
        acc = (x.q - x.zero_point).double() @ w.q.double().T
        one = torch.ones(())
        to_state = factors(self.inner_scales(w.scale.detach().reshape(-1), 1, x.scale.detach()), one)
        new = rescale(acc.long(), to_state).double()
        known = torch.cat([states[0].transpose(1, 2)[:, 1:], new], 1)  # (n, M - 1 + T, F)
        total = self._over_time(known, t.q.double()) + b.q.double()
        to_output = factors(self.inner_scales(t.scale.detach().reshape(-1), 2, out.scale.detach()), one)
        grid = out.bounded(self.activation)
        steps = rescale(total.clamp(-SHIFTED_MAX, SHIFTED_MAX).long(), to_output)
        codes = (steps + grid.zero_point).clamp(grid.low, grid.high).float()
        return codes, (known[:, -t.q.shape[1] :].transpose(1, 2),)

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        _, feature, time, bias = node.inputs
        out = flow.new(shapes[3][0])
        filters = np.repeat(out, self.rank)
        flow.slice(feature, 0, filters)
        flow.slice(feature, 1, inputs[0])
        flow.slice(time, 0, filters)
        flow.slice(bias, 0, out)
        return out

    def macs(self, inputs: Sequence[TensorType], out: TensorType) -> int:
        return inputs[0].shape[0] * (inputs[1].elements + inputs[2].elements)


EXAMPLES = (
    Example(  # a memory of two steps
        Svdf(),
        (array((3, 2), 1, 2, -1, 0, 0, 1), array((1, 2), 1, 0.5), array((1, 2), 3, -1), array((1,), 0.25)),
        array((3, 1), -1.75, 7.25, -3.25),
    ),
    Example(  # two filters per output
        Svdf(2, "relu"),
        (
            array((2, 1), 1, -2),
            array((4, 1), 1, 2, -1, 0.5),
            array((4, 1), 2, 0.5, 1, -4),
            array((2,), 0, 0.5),
        ),
        array((2, 2), 3, 0, 0, 6.5),
    ),
)

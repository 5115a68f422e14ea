"""What recurrent layers share: constants beyond one weight and one bias, and scales within the layer.

Weights per gate are (H, gates, C) for the layer's input and (H, gates, H) for its own last output: all rows of a hidden
unit lie together, and each gate has a scale of its own.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self, TypeVar

import numpy as np

from pintsize.deferred import torch
from pintsize.gates import GATE_INPUT_SCALE
from pintsize.graph import Channels, Node, Op, OverTime, TensorType

Scale = TypeVar("Scale", float, np.ndarray, "torch.Tensor")


class Recurrent(Op):
    """Abstract: a layer over a sequence (T, C) whose state is zero before the first step.

    Constants are named by their position among the node's inputs.
    """

    activations: ClassVar[int | None] = 1
    #: weight → the axis with a scale each (None: one for the whole weight)
    weight_axes: ClassVar[Mapping[int, int | None]] = {1: 1, 2: 1}
    #: weights that always have 16 bits
    wide_weights: ClassVar[frozenset[int]] = frozenset()
    #: bias → the weight to whose products it is added
    biases: ClassVar[Mapping[int, int]] = {3: 1}

    @abstractmethod
    def weighed(self, weight: int, x: Scale, out: Scale) -> Scale | float:
        """The scale of what a weight multiplies, given those of input and output."""

    @abstractmethod
    def requantized_to(self, weight: int, out: float) -> float:
        """The scale to which the sums of a weight's products are brought."""

    def inner_factors(self, inputs: Sequence[TensorType], out: TensorType) -> Sequence[float]:
        x, y = inputs[0].scale[0], out.scale[0]
        return [
            self.weighed(w, x, y) * max(inputs[w].scale) / self.requantized_to(w, y) for w in self.weight_axes
        ]

    def inner_range(self, inputs: Sequence[torch.Tensor]) -> float:
        """The largest magnitude of an inner state on real inputs, where its scale is to be fitted."""
        return 0.0

    def with_inner_range(self, largest: float) -> Self:
        """The op with an inner scale fitted to that magnitude."""
        return self


class Gated(Recurrent):
    """Abstract: LSTM and GRU."""

    gates: ClassVar[int]

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        x, w, r, *biases = (t.shape for t in inputs)
        if len(x) != 2 or not x[0]:
            raise ValueError(f"{self.name}: needs a sequence (steps, channels), not {x}")
        hidden = w[0] if w else 0
        allowed = [
            (hidden, self.gates, x[1]),
            (hidden, self.gates, hidden),
            *[(hidden, self.gates)] * len(self.biases),
        ]
        if not hidden or [w, r, *biases] != allowed:
            raise ValueError(
                f"{self.name}: weights {w}, {r} and biases {biases} do not fit input {x}; they must be "
                f"(hidden, {self.gates}, {x[1]}), (hidden, {self.gates}, hidden) and (hidden, {self.gates})"
            )
        return x[0], hidden

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        if axes[0] != 0:
            raise ValueError("its channels are along time; transpose its input")
        return OverTime(0, endless=True)

    def weighed(self, weight: int, x: Scale, out: Scale) -> Scale:
        return x if weight == 1 else out

    def requantized_to(self, weight: int, out: float) -> float:
        return GATE_INPUT_SCALE

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        """A hidden unit is an identity: its rows, and the columns that read it, go with it."""
        weight, recurrent, *biases = node.inputs[1:]
        out = flow.new(shapes[1][0])
        flow.slice(weight, 0, out)
        flow.slice(weight, 2, inputs[0])
        flow.slice(recurrent, 0, out)
        flow.slice(recurrent, 2, out)
        for bias in biases:
            flow.slice(bias, 0, out)
        return out

    def macs(self, inputs: Sequence[TensorType], out: TensorType) -> int:
        return inputs[0].shape[0] * (inputs[1].elements + inputs[2].elements)


def by_gate(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """x (…, C), weight (H, gates, C) → (…, H, gates)."""
    return torch.einsum("...c,hgc->...hg", x, weight)

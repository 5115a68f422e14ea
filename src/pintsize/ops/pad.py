"""Numbers around a tensor. Input shape s → (s[0] + before[0] + after[0], …).

constant  one value
edge      the nearest number
reflect   mirrored at the border number, which is not repeated
symmetric mirrored with the border number repeated

Integers: the codes move, the value takes the nearest code; input and output share one grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from pintsize.arithmetic import Grid, Quantized, quantize
from pintsize.deferred import F, torch
from pintsize.graph import Channels, Node, Op, OverTime, TensorType
from pintsize.ops.example import Example, array

PadMode = Literal["constant", "edge", "reflect", "symmetric"]
#: numpy's names are ours
_SHORTFALL: dict[str, int] = {"constant": 0, "edge": 0, "reflect": 1, "symmetric": 0}


@dataclass(frozen=True)
class Pad(Op):
    """`padding` is (before, after) of the first axis, then of the next, the batch left out: (top, bottom, left, right)
    for an image. Axes that it does not reach stay as they are.
    """

    name: ClassVar[str] = "pad"
    ties_types: ClassVar[bool] = True
    integer_gradient: ClassVar[bool] = True
    int16: ClassVar[bool] = True
    padding: tuple[int, ...] = (0, 0, 0, 0)
    mode: PadMode = "constant"
    value: float = 0.0

    @property
    def around_image_with_zeros(self) -> bool:
        """Nothing but zeros above, below, left and right: what a convolution can do itself."""
        return self.mode == "constant" and self.value == 0.0 and not any(self.padding[4:])

    def pairs(self, rank: int) -> list[tuple[int, int]]:
        """(before, after) of every axis."""
        padding = (*self.padding, *[0] * (2 * rank - len(self.padding)))
        return list(zip(padding[::2], padding[1::2], strict=True))

    def shape(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        before = inputs[0].shape
        self._check(before)
        if inputs[0].dtype == "int16" and self.value:
            raise ValueError(f"pad: a border of {self.value}; with int16 activations it must be 0")
        pairs = self.pairs(len(before))
        for n, pair in zip(before, pairs, strict=True):
            if self.mode in ("reflect", "symmetric") and max(pair) > n - _SHORTFALL[self.mode]:
                raise ValueError(
                    f"pad: {pair} with mode {self.mode} mirrors more than the axis of {n} in {before} holds"
                )
        return tuple(n + a + b for n, (a, b) in zip(before, pairs, strict=True))

    def _check(self, before: tuple[int, ...]) -> None:
        if len(self.padding) % 2 or len(self.padding) > 2 * len(before) or min(self.padding, default=0) < 0:
            raise ValueError(
                f"pad: {self.padding} must be (before, after), not negative, for axes of {before}; "
                "an image is (height, width, channels)"
            )
        if len(before) > 4 or self.mode not in _SHORTFALL:
            raise ValueError(f"pad: mode {self.mode} of {before}: at most 4 axes and {', '.join(_SHORTFALL)}")

    def sources(self, shape: tuple[int, ...]) -> list[np.ndarray]:
        """Per axis the index that each output takes; -1 stands for the value."""
        indices = [
            np.pad(np.arange(n), pair, constant_values=-1)
            if self.mode == "constant"
            else np.pad(np.arange(n), pair, mode=self.mode)
            for n, pair in zip(shape, self.pairs(len(shape)), strict=True)
        ]
        return [i.astype(np.int64) for i in indices]

    def float_meaning(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return self._padded(inputs[0], self.value)

    def integer_meaning(self, inputs: Sequence[Quantized], out: Grid) -> torch.Tensor:
        x = inputs[0]
        return self._padded(x.q, self.code(x.scale.item(), x.zero_point, x.bits))

    def code(self, scale: float, zero_point: int, bits: int = 8) -> int:
        """The value on a grid."""
        return int(quantize(np.array(self.value), scale, zero_point, bits))

    def _padded(self, x: torch.Tensor, value: float) -> torch.Tensor:
        pairs = self.pairs(x.dim() - 1)
        if self.mode == "constant":
            return F.pad(x, [n for pair in reversed(pairs) for n in pair], value=value)
        for axis, taken in enumerate(self.sources(tuple(x.shape[1:])), 1):
            if any(pairs[axis - 1]):
                x = x.index_select(axis, torch.from_numpy(taken))
        return x

    def over_time(self, inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
        axis = axes[0]
        pairs = self.pairs(len(inputs[0].shape))
        before = pairs[axis or 0][0]
        around = (n for a, pair in enumerate(pairs) for n in ((0, 0) if a == axis else pair))
        return OverTime(axis, first=-before, last=-before, op=replace(self, padding=tuple(around)))

    def channels(
        self, node: Node, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], flow: Channels
    ) -> np.ndarray:
        before, after = self.pairs(len(shapes[0]))[-1]
        if not before and not after:
            return inputs[0]
        if self.mode == "constant":
            added = flow.new(before + after)
            flow.keep(added)
            return np.concatenate([added[:before], inputs[0], added[before:]])
        flow.keep(inputs[0])  # which one is mirrored depends on where it stands
        return inputs[0][self.sources(shapes[0])[-1]]


EXAMPLES = (
    Example(Pad((1, 0, 0, 2)), (array((1, 2, 1), 1, 2),), array((2, 4, 1), 0, 0, 0, 0, 1, 2, 0, 0)),
    Example(Pad((0, 0, 1, 1), value=-1.0), (array((2, 1), 1, 2),), array((2, 3), -1, 1, -1, -1, 2, -1)),
    Example(Pad((1, 2), "reflect"), (array((3,), 1, 2, 3),), array((6,), 2, 1, 2, 3, 2, 1)),
    Example(Pad((1, 2), "symmetric"), (array((3, 1), 1, 2, 3),), array((6, 1), 1, 1, 2, 3, 3, 2)),
    Example(
        Pad((0, 1, 0, 0, 2, 0), "edge"),
        (array((1, 2, 2), 1, 2, 3, 4),),
        array((2, 2, 4), 1, 1, 1, 2, 3, 3, 3, 4, 1, 1, 1, 2, 3, 3, 3, 4),
    ),
)

"""Two-operand ops: axes, counted from the last, are equal, or one of them is 1 or missing and its numbers repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from pintsize.deferred import torch
from pintsize.graph import Channels

#: axes that the kernels walk over
KERNEL_AXES = 4


@dataclass(frozen=True)
class Spread:
    """How a kernel walks over two operands that repeat: four extents of the output, outermost first.

    a_strides, b_strides: how far an operand moves at a step along each; 0 where it repeats.
    """

    extents: tuple[int, ...]
    a_strides: tuple[int, ...]
    b_strides: tuple[int, ...]


def broadcast_shape(name: str, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """The output's shape, by numpy's rules. Raises ValueError where they give none, or a pattern beyond the kernels."""
    try:
        shape = tuple(np.broadcast_shapes(a, b))
    except ValueError:
        raise ValueError(
            f"{name}: {b} does not fit {a}; axes, counted from the last, must be equal, or one of them 1"
        ) from None
    if len(_runs(a, b)) > KERNEL_AXES:
        raise ValueError(f"{name}: {a} and {b} repeat along too many axes by turns; add the axes one by one")
    return shape


def spread(a: tuple[int, ...], b: tuple[int, ...]) -> Spread:
    """Strides of two operands (batch left out) that `broadcast_shape` takes."""
    runs = _runs(a, b)
    runs = [(1, False, False)] * (KERNEL_AXES - len(runs)) + runs
    strides: list[tuple[int, ...]] = []
    for moves in ([m for _, m, _ in runs], [m for _, _, m in runs]):
        extents = [n if moved else 1 for (n, _, _), moved in zip(runs, moves, strict=True)]
        strides.append(tuple(prod(extents[i + 1 :]) if m else 0 for i, m in enumerate(moves)))
    return Spread(tuple(n for n, _, _ in runs), *strides)


def _runs(a: tuple[int, ...], b: tuple[int, ...]) -> list[tuple[int, bool, bool]]:
    """(extent, does a move, does b move): neighbouring axes of a kind as one, those of length 1 left out."""
    rank = max(len(a), len(b))
    runs: list[tuple[int, bool, bool]] = []
    for m, n in zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b, strict=True):
        kind = (m != 1, n != 1)
        if kind == (False, False):
            continue
        if runs and runs[-1][1:] == kind:
            runs[-1] = (runs[-1][0] * max(m, n), *kind)
        else:
            runs.append((max(m, n), *kind))
    return runs


def aligned(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """a (N, …) and b (N, …) with ones behind the batch axis, so that torch broadcasts them like `broadcast_shape`."""
    rank = max(a.dim(), b.dim())
    return _of_rank(a, rank), _of_rank(b, rank)


def _of_rank(x: torch.Tensor, rank: int) -> torch.Tensor:
    return x.reshape(x.shape[0], *([1] * (rank - x.dim())), *x.shape[1:])


def broadcast_channels(inputs: Sequence[np.ndarray], flow: Channels) -> np.ndarray:
    """Equal widths live and die together; a single number that spreads over all channels must stay."""
    a, b = inputs
    if len(b) == len(a):
        flow.unite(a, b)
        return a
    wide, single = (a, b) if len(a) > len(b) else (b, a)
    flow.keep(single)
    return wide

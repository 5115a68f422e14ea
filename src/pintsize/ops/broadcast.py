"""Two-operand ops: the second operand is as large as the first, or a trailing part of it that repeats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from pintsize.graph import Channels


def broadcast_shape(name: str, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """The first operand's shape. Raises ValueError unless b, leading ones dropped, ends a."""
    tail = core_shape(b)
    if a[len(a) - len(tail) :] != tail:
        raise ValueError(
            f"{name}: {b} does not fit {a}; it must be equal or a trailing part, such as (1, 1, {a[-1]})"
        )
    return a


def core_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Without leading ones."""
    first = next((i for i, n in enumerate(shape) if n != 1), len(shape) - 1)
    return shape[first:]


def trailing(b: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    """b (N, …) with ones after the batch axis, so that torch broadcasts it against a (N, …)."""
    tail = core_shape(tuple(b.shape[1:]))
    return b.reshape(b.shape[0], *([1] * (a.dim() - 1 - len(tail))), *tail)


def broadcast_channels(inputs: Sequence[np.ndarray], flow: Channels) -> np.ndarray:
    """Equal widths live and die together; a single number that spreads over all channels must stay."""
    a, b = inputs
    if len(b) == len(a):
        flow.unite(a, b)
    else:
        flow.keep(b)
    return a

"""A layer of weights as a matrix product: what its weights multiply, drawn from samples, and its weights to match.

A convolution's outputs are products of patches with one matrix; a depthwise one's, of one matrix per channel:
outputs = patches @ weights.T per group, patches (G, R, K), weights (G, O/G, K).
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from pintsize.graph import Op
from pintsize.ops import Conv2d, DepthwiseConv2d, Linear
from pintsize.ops.window import Window

MATRICES = (Conv2d, DepthwiseConv2d, Linear)


def patches(
    op: Op, weight_shape: tuple[int, ...], inputs: list[torch.Tensor], count: int, seed: int = 0
) -> list[torch.Tensor]:
    """At most `count` patches (G, R, K) of each of these inputs (n, …, C), at the same places drawn by the seed."""
    generator = torch.Generator().manual_seed(seed)
    if isinstance(op, Linear):
        rows = [x.reshape(-1, x.shape[-1]) for x in inputs]
        chosen = _drawn(len(rows[0]), count, generator)
        return [r[chosen][None] for r in rows]
    assert isinstance(op, Conv2d | DepthwiseConv2d)
    window = op.window(weight_shape)
    height, width = window.output(tuple(inputs[0].shape[1:]))
    chosen = _drawn(len(inputs[0]) * height * width, count, generator)
    places = chosen // (height * width), chosen // width % height, chosen % width
    found = [_windows(x, window, *places) for x in inputs]  # (R, Kh, Kw, C)
    if isinstance(op, Conv2d):
        return [f.reshape(1, len(f), -1) for f in found]
    return [f.permute(3, 0, 1, 2).reshape(f.shape[3], len(f), -1) for f in found]


def _drawn(of: int, count: int, generator: torch.Generator) -> torch.Tensor:
    return torch.arange(of) if of <= count else torch.randperm(of, generator=generator)[:count]


def _windows(
    x: torch.Tensor, window: Window, n: torch.Tensor, row: torch.Tensor, column: torch.Tensor
) -> torch.Tensor:
    top, bottom, left, right = window.padding
    padded = F.pad(x, (0, 0, left, right, top, bottom))
    rows = row[:, None] * window.stride[0] + torch.arange(window.kernel[0]) * window.dilation[0]
    columns = column[:, None] * window.stride[1] + torch.arange(window.kernel[1]) * window.dilation[1]
    return padded[n[:, None, None], rows[:, :, None], columns[:, None, :]]


def as_matrix(op: Op, weight: np.ndarray) -> torch.Tensor:
    """A layer's weight (or codes) as (G, O/G, K)."""
    if not isinstance(op, DepthwiseConv2d):
        return torch.from_numpy(weight.reshape(1, len(weight), -1))
    taps = np.moveaxis(weight, 2, 0).reshape(weight.shape[2], -1)
    return torch.from_numpy(np.ascontiguousarray(taps.reshape(-1, op.multiplier, taps.shape[1])))


def from_matrix(op: Op, matrix: torch.Tensor, shape: tuple[int, ...]) -> np.ndarray:
    """The inverse of `as_matrix`: the weight in its own shape."""
    rows = matrix.numpy()
    if not isinstance(op, DepthwiseConv2d):
        return rows.reshape(shape)
    return np.ascontiguousarray(np.moveaxis(rows.reshape(shape[2], *shape[:2]), 0, 2))

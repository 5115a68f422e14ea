"""Axes as attributes name them: the batch left out, negative ones counted from the last."""

from __future__ import annotations


def one_axis(name: str, axis: int, shape: tuple[int, ...]) -> int:
    """The axis counted from 0. Raises ValueError when the shape has no such axis."""
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"{name}: axis {axis} must lie in {-len(shape)}..{len(shape) - 1} for {shape}")
    return axis % len(shape)


def some_axes(name: str, axes: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes counted from 0, in order. Raises ValueError for none, for one twice, or for one that is not there."""
    found = sorted(one_axis(name, axis, shape) for axis in axes)
    if not found or len(set(found)) != len(found):
        raise ValueError(f"{name}: axes {axes} must name at least one axis, and each once")
    return tuple(found)

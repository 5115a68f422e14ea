"""What ops share that say how they follow their inputs along time (`Op.over_time`)."""

from __future__ import annotations

from collections.abc import Sequence

from pintsize.graph import Op, OverTime, TensorType
from pintsize.ops.window import Window


def column_by_column(inputs: Sequence[TensorType], axes: Sequence[int | None]) -> OverTime:
    """Of an op that does the same to each column; operands, counted from the last axis, repeat where they are 1 long.

    Raises ValueError where inputs have time along different axes, or an operand without time differs along it.
    """
    places = {axis - len(kind.shape) for kind, axis in zip(inputs, axes, strict=True) if axis is not None}
    if len(places) != 1:
        raise ValueError("its inputs have their time along different axes; transpose one of them")
    (place,) = places
    for kind, axis in zip(inputs, axes, strict=True):
        if axis is None and len(kind.shape) >= -place and kind.shape[place] != 1:
            raise ValueError(
                f"a constant {kind.shape} differs from one time to the next; use one that is 1 long along time"
            )
    return OverTime(max(len(kind.shape) for kind in inputs) + place)


def within_rows(x: TensorType, axis: int | None) -> OverTime:
    """Of an op that mixes the numbers of the last axis and keeps it; raises ValueError where that is time."""
    if axis == len(x.shape) - 1:
        raise ValueError("it mixes numbers along time, its last axis")
    return OverTime(axis)


def of_whole(x: TensorType, axis: int) -> OverTime:
    """Of an op that makes one thing of all columns."""
    return OverTime(None, first=0, last=x.shape[axis] - 1)


def windowed(window: Window, axis: int | None, unpadded: Op) -> OverTime:
    """Of a sliding window over (height, width), either of which may be time; raises ValueError where channels are.

    unpadded: the op without padding along that axis (see `padding_apart_from`).
    """
    if axis not in (0, 1):
        raise ValueError("its channels are along time; transpose its input")
    first = -window.padding[2 * axis]
    reach = window.dilation[axis] * (window.kernel[axis] - 1)
    return OverTime(axis, window.stride[axis], first, first + reach, op=unpadded)


def padding_apart_from(padding: tuple[int, int, int, int], axis: int | None) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) without what lies along the axis."""
    top, bottom, left, right = padding
    return (0, 0, left, right) if axis == 0 else (top, bottom, 0, 0)

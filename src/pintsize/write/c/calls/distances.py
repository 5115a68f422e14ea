"""How many bytes an input must begin after the output, at least, for a kernel that runs forward through both.

What is written ends where the first number that is still to be read begins, or before it.
"""

from __future__ import annotations

from collections.abc import Callable

from pintsize.graph import TensorType


def by_row(x: TensorType, y: TensorType, first_needed: Callable[[int], int]) -> int:
    """Of images (height, width, channels). first_needed: output row → the first input row that is read while it is
    written, or later.
    """
    line = x.shape[1] * x.shape[2]
    needed = {row: max(0, first_needed(row)) for row in range(y.shape[0])}
    ends = [(row + 1) * y.shape[1] * y.shape[2] - n * line for row, n in needed.items() if n < x.shape[0]]
    return max(ends, default=-x.elements)


def by_pixel(count: int, inputs: int, outputs: int, together: int, copied: bool = False) -> int:
    """Of `count` pixels with `inputs` and `outputs` channels, some `together` at a time; copied: x is read before y is
    written.
    """
    starts = range(0, count, together)
    ahead = together if copied else 0
    ends = [
        min(start + together, count) * outputs - (start + ahead) * inputs
        for start in starts
        if start + ahead < count
    ]
    return max(ends, default=-count * inputs)

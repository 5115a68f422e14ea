"""Worked examples, small enough to check by hand: they lie beside each op, the tests run them everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pintsize.graph import Op


@dataclass(frozen=True, eq=False)
class Example:
    """What an op makes of these inputs, constants among them: real numbers, batch left out.

    constants: positions of the inputs that are constants where the op leaves that open.
    """

    op: Op
    inputs: tuple[np.ndarray, ...]
    output: np.ndarray
    constants: tuple[int, ...] = ()


def array(shape: tuple[int, ...], *numbers: float) -> np.ndarray:
    """float32 numbers, in the order of memory, in this shape."""
    return np.array(numbers, np.float32).reshape(shape)

"""The one shape that inputs take on every core: rows of bytes, as many as the model's input has."""

from __future__ import annotations

import numpy as np

from pintsize.errors import DataError


def as_rows(inputs: np.ndarray, input_bytes: int) -> np.ndarray:
    """int8 or int16 `inputs` as contiguous int8 rows (n, input_bytes), n at least 1.

    Inner axes may have any shape. Raises DataError when they do not hold `input_bytes` bytes.
    """
    if inputs.dtype not in (np.int8, np.int16):
        raise DataError(f"inputs have type {inputs.dtype}: the program takes int8 (or int16) codes")
    if inputs.ndim < 2 or not len(inputs) or inputs[0].nbytes != input_bytes:
        raise DataError(
            f"{inputs.dtype} inputs have shape {inputs.shape}: the program takes {input_bytes} bytes each, n > 0"
        )
    return np.ascontiguousarray(inputs.reshape(len(inputs), -1)).view(np.int8)


def restarts(count: int, every: int) -> range:
    """Before which of `count` inputs the model's init is called: the first, and after every so many (0: no more)."""
    return range(0, count, every or count)

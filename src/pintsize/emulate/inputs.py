"""The one shape that inputs take on every core: int8 rows of the model's input size."""

from __future__ import annotations

import numpy as np

from pintsize.errors import DataError


def as_rows(inputs: np.ndarray, input_bytes: int) -> np.ndarray:
    """`inputs` as contiguous int8 rows (n, input_bytes), n at least 1.

    Inner axes may have any shape. Raises DataError when they do not hold `input_bytes` int8 values.
    """
    if inputs.dtype != np.int8:
        raise DataError(f"inputs have type {inputs.dtype}: the program takes int8 codes")
    if inputs.ndim < 2 or not len(inputs) or inputs[0].size != input_bytes:
        raise DataError(f"inputs have shape {inputs.shape}: the program takes (n, {input_bytes}), n > 0")
    return np.ascontiguousarray(inputs.reshape(len(inputs), input_bytes))

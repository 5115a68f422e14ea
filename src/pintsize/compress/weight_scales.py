"""The scale of weights, from the weights themselves."""

from __future__ import annotations

import numpy as np

from pintsize.arithmetic import SCALE_BITS, SCALE_REACH, WEIGHT_MAX

#: an all-zero channel still needs a scale; small enough to matter to nothing, large enough for its bias
LEAST_WEIGHT_SCALE = 2.0**-20


def weight_scales(
    weight: np.ndarray, axis: int | None, bits: int, least: np.ndarray | float = 0.0
) -> np.ndarray:
    """One scale per slice along the axis, or one for all, float64, none below `least` and all of few bits: the largest
    weight at 8 bits and more, the least squared error below.
    """
    return _brief(np.maximum(np.maximum(_fitting(weight, axis, bits), least), LEAST_WEIGHT_SCALE))


def _brief(scales: np.ndarray) -> np.ndarray:
    """The next larger ones that are legal (`arithmetic.SCALE_BITS`): no weight is clipped for it."""
    mantissa, exponent = np.frexp(np.maximum(scales, scales.max() * SCALE_REACH))
    return np.ldexp(np.ceil(mantissa * 2**SCALE_BITS) / 2**SCALE_BITS, exponent)


def _fitting(weight: np.ndarray, axis: int | None, bits: int) -> np.ndarray:
    rows = (
        weight.reshape(1, -1)
        if axis is None
        else np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)
    )
    rows = rows.astype(np.float64)
    largest = np.abs(rows).max(1) / WEIGHT_MAX[bits]
    if bits >= 8:
        return largest
    shrinks = np.linspace(0.3, 1.0, 36)
    errors = np.stack([_squared_error(rows, np.maximum(largest * s, 1e-12), bits) for s in shrinks])
    return largest * shrinks[errors.argmin(0)]


def _squared_error(rows: np.ndarray, scale: np.ndarray, bits: int) -> np.ndarray:
    codes = np.clip(np.round(rows / scale[:, None]), -WEIGHT_MAX[bits], WEIGHT_MAX[bits])
    return ((codes * scale[:, None] - rows) ** 2).sum(1)

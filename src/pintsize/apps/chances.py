"""A softmax in integers: what C computes on a microcontroller and Python on a computer, bit for bit the same.

    e[d] = round(2^16 · exp(−d · scale / temperature))          d: how many codes below the largest one
    p[i] = floor(2^15 · e[largest − q[i]] / Σ e)

so a probability is a multiple of 2^-15; a float64 holds it and means of it without rounding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pintsize.errors import UserError
from pintsize.stream.decision import Calibration
from pintsize.stream.manifest import Interface

#: bits of an exponential, and of a probability: both together fit 32
EXPONENT_BITS, CHANCE_BITS = 16, 15
#: a table of exponentials is not longer
MOST_CODES = 4096


class Chances:
    """Probabilities of an artifact's outputs.

    output: the artifact's; calibration: its temperature. table: e, (codes,) uint32, its last entry 0 where it ends
    before the codes do. Raises UserError for outputs that are no logits, and for fewer than two.
    """

    def __init__(self, output: Interface, calibration: Calibration) -> None:
        if calibration.scores != "logits" or output.elements < 2:
            raise UserError(
                f"{output.elements} outputs that are {calibration.scores}: two logits or more are needed"
            )
        self._output = output
        step = output.scale / calibration.temperature
        codes = np.arange(1 << (8 if output.dtype == "int8" else 16))[:MOST_CODES]
        table = np.rint(np.exp(-codes * step) * (1 << EXPONENT_BITS)).astype(np.int64)
        ends = np.flatnonzero(table == 0)
        self.table: NDArray[np.int64] = table[: ends[0] + 1] if len(ends) else table

    def integers(self, outputs: ArrayLike) -> NDArray[np.int64]:
        """outputs: (labels,) real numbers on the output's grid. Gives (labels,) multiples of 2^-15, as integers."""
        return self.integers_of_many(np.asarray(outputs, np.float64).reshape(1, -1))[0]

    def integers_of_many(self, outputs: NDArray[np.floating]) -> NDArray[np.int64]:
        """(n, labels) → (n, labels)."""
        codes = np.rint(outputs.astype(np.float64) / self._output.scale).astype(np.int64)
        below = np.minimum(codes.max(1, keepdims=True) - codes, len(self.table) - 1)
        powers = self.table[below]
        return (powers << CHANCE_BITS) // powers.sum(1, keepdims=True)

    def of(self, outputs: ArrayLike) -> NDArray[np.float64]:
        """The same as real numbers."""
        return self.integers(outputs) / float(1 << CHANCE_BITS)

    def of_many(self, outputs: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, labels) → (n, labels)."""
        return self.integers_of_many(outputs) / float(1 << CHANCE_BITS)

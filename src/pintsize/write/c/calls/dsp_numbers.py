"""A layer's shape as the DSP kernels read it (kernels/dsp/primitives.c): numbers of 16 bits, most of them in a byte."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: stands before a number of two bytes
WIDER = -127
#: of the array that the kernels unpack into
MOST = 32


def packed(numbers: Sequence[int]) -> np.ndarray:
    """Their count, then each in one byte or three, int8. Raises ValueError for more than MOST or more than 16 bits."""
    if len(numbers) > MOST:
        raise ValueError(f"{len(numbers)} numbers: {MOST} are allowed")
    found = [np.array([len(numbers)], np.int8)]
    for number in numbers:
        if not -(1 << 15) <= number < 1 << 15:
            raise ValueError(f"{number} has more than 16 bits")
        if -128 <= number <= 127 and number != WIDER:
            found.append(np.array([number], np.int8))
        else:
            found.append(np.array([WIDER], np.int8))
            found.append(np.array([number], "<i2").view(np.int8))
    return np.concatenate(found)


def unpacked(data: np.ndarray) -> tuple[int, ...]:
    """The numbers again."""
    rest, found = data[1:], []
    for _ in range(int(data[0])):
        wide = rest[0] == WIDER
        found.append(int(np.ascontiguousarray(rest[1:3]).view("<i2")[0]) if wide else int(rest[0]))
        rest = rest[3 if wide else 1 :]
    return tuple(found)

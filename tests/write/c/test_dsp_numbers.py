"""Numbers in a byte where they fit: the same numbers come out, and what is too wide is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pintsize.write.c.calls.dsp_numbers import MOST, WIDER, packed, unpacked


@given(st.lists(st.integers(-(1 << 15), (1 << 15) - 1) | st.integers(-128, 127), max_size=MOST))
def test_what_is_packed_is_unpacked(numbers: list[int]) -> None:
    data = packed(numbers)
    assert data.dtype == np.int8
    assert unpacked(data) == tuple(numbers)


def test_a_small_number_takes_a_byte() -> None:
    assert packed([0, 5, -128, 127]).tolist() == [4, 0, 5, -128, 127]
    assert packed([WIDER, 128]).tolist() == [2, WIDER, WIDER, -1, WIDER, -128, 0]


def test_too_much_is_refused() -> None:
    with pytest.raises(ValueError, match="33 numbers: 32 are allowed"):
        packed([0] * (MOST + 1))
    with pytest.raises(ValueError, match="32768 has more than 16 bits"):
        packed([1 << 15])

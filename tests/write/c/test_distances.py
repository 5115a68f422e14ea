"""Distances by which an input must begin after the output, against a walk over every byte."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pintsize.graph import TensorType
from pintsize.write.c.calls.distances import by_pixel, by_row

SIZES = st.integers(1, 6)


@given(SIZES, SIZES, SIZES, st.integers(1, 3), st.booleans())
def test_pixels_never_overtake_what_is_still_read(
    count: int, inputs: int, outputs: int, together: int, copied: bool
) -> None:
    distance = by_pixel(count, inputs, outputs, together, copied)
    for start in range(0, count, together):
        written = min(start + together, count) * outputs
        still_read = range(start + together if copied else start, count)
        assert all(distance + p * inputs >= written for p in still_read)


@given(SIZES, SIZES, SIZES, SIZES, st.integers(0, 2), st.integers(1, 3))
def test_rows_never_overtake_what_is_still_read(
    height: int, out_height: int, channels: int, out_channels: int, top: int, stride: int
) -> None:
    x, y = TensorType((height, 3, channels)), TensorType((out_height, 2, out_channels))
    distance = by_row(x, y, lambda row: row * stride - top)
    for row in range(out_height):
        written = (row + 1) * 2 * out_channels
        rows = range(max(0, row * stride - top), height)
        assert all(distance + r * 3 * channels >= written for r in rows)


def test_a_pointwise_layer_of_equal_width_runs_a_pair_ahead() -> None:
    assert by_pixel(125, 64, 64, together=2) == 128
    assert by_pixel(125, 64, 64, together=1, copied=True) == 0

"""Numbers read the way a person would write them."""

from __future__ import annotations

import pytest

from pintsize.report import figures


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (12040, "B", "12,040 B"),
        (16.4657, "ms", "16.5 ms"),
        (1234.5, "ms", "1,234 ms"),
        (0.0712, "mJ", "0.0712 mJ"),
        (0, "ms", "0.00 ms"),
        (0.0075, "fraction", "0.75 %"),
        (-0.004, "fraction", "−0.40 %"),
        (1463614, "", "1,463,614"),
        (None, "B", "–"),
        (None, "ms", "–"),
        (None, "fraction", "–"),
        (None, "", "–"),
    ],
)
def test_amount(value: float | None, unit: str, text: str) -> None:
    assert figures.amount(value, unit) == text


def test_a_drop_is_in_percent_whatever_unit_is_beside_it() -> None:
    assert figures.unit({"name": "drop", "unit": ""}) == "fraction"


@pytest.mark.parametrize(("value", "text"), [(-0.0075, "−0.75 points"), (0.001, "+0.10 points"), (None, "–")])
def test_points(value: float | None, text: str) -> None:
    assert figures.points(value) == text


@pytest.mark.parametrize(("value", "text"), [(2_097_152, "2,048 kB"), (20_992, "20.5 kB"), (32_768, "32 kB")])
def test_kilobytes(value: int, text: str) -> None:
    assert figures.kilobytes(value) == text


@pytest.mark.parametrize(
    ("hertz", "text"), [(120e6, "120 MHz"), (1.5e9, "1.5 GHz"), (32.768e3, "0.032768 MHz")]
)
def test_clock(hertz: float, text: str) -> None:
    assert figures.clock(hertz) == text

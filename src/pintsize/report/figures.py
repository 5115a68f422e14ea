"""Numbers as people read them. What is None reads "–"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NONE = "–"

#: name of a figure → its title
TITLES = {
    "flash_bytes": "Flash",
    "ram_bytes": "RAM",
    "arena_bytes": "Arena",
    "stack_bytes": "Stack",
    "weight_bytes": "Weights",
    "instructions": "Instructions",
    "macs": "Multiply-accumulates",
    "latency_ms": "Latency",
    "energy_mj": "Energy",
    "drop": "Accuracy drop",
}


def title(name: str) -> str:
    return TITLES.get(name, name)


def count(value: float | None) -> str:
    return NONE if value is None else f"{value:,.0f}"


def size(value: float | None) -> str:
    """Bytes, exactly."""
    return NONE if value is None else f"{value:,.0f} B"


def kilobytes(value: float) -> str:
    """Of 1,024 bytes, as data sheets count memory."""
    return f"{value / 1024:,.4g} kB" if value < 1024 * 1000 else f"{value / 1024:,.0f} kB"


def percent(value: float | None, digits: int = 2) -> str:
    """A fraction in percent."""
    return NONE if value is None else f"{100 * value:.{digits}f} %".replace("-", "−")


def points(value: float | None) -> str:
    """The difference of two fractions, in percentage points and with its sign."""
    return NONE if value is None else f"{100 * value:+.2f} points".replace("-", "−")


def decimal(value: float | None, unit: str) -> str:
    """Three significant digits, never in powers of ten for what a device takes."""
    if value is None:
        return NONE
    digits = max(0, 2 - _exponent(value))
    return f"{value:,.{digits}f} {unit}"


def amount(value: float | None, unit: str) -> str:
    """A value in one of the units of `schema.Figure`."""
    if unit == "B":
        return size(value)
    if unit == "fraction":
        return percent(value)
    return decimal(value, unit) if unit else count(value)


def unit(figure: Mapping[str, Any]) -> str:
    """The unit of a figure; a drop is a fraction, whatever is written beside it."""
    return "fraction" if figure["name"] == "drop" else figure["unit"]


def shape(sizes: Sequence[int]) -> str:
    return "×".join(str(s) for s in sizes) or NONE


def clock(hertz: float) -> str:
    return f"{hertz / 1e6:g} MHz" if hertz < 1e9 else f"{hertz / 1e9:g} GHz"


def _exponent(value: float) -> int:
    return int(f"{value:e}".partition("e")[2])

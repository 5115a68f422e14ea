"""What the user allows: flash, RAM, latency, energy and accuracy drop.

A text carries its unit ("32kB", "20ms", "150uJ", "1%"); a bare number is in the base unit: bytes, seconds,
joules, a fraction. kB and KiB are both 1,024 bytes, as in the datasheets of microcontrollers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

from pintsize.errors import BudgetError

Amount = str | float | None

#: unit in lower case → bytes
BYTE_UNITS = {
    **dict.fromkeys(("", "b", "byte", "bytes"), 1.0),
    **dict.fromkeys(("k", "kb", "kib"), 1024.0),
    **dict.fromkeys(("m", "mb", "mib"), 1024.0**2),
}
#: unit in lower case → seconds
SECOND_UNITS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6}
#: unit → joules; in capitals where case counts (mJ, not MJ)
JOULE_UNITS = {"": 1.0, "J": 1.0, "mJ": 1e-3, "uJ": 1e-6, "µJ": 1e-6, "μJ": 1e-6, "nJ": 1e-9}
FRACTION_UNITS = {"": 1.0, "%": 0.01}

_AMOUNT = re.compile(r"\s*([+-]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-zµμ%]*)\s*", re.ASCII)


@dataclass(frozen=True, init=False)
class Budget:
    """Upper bounds; None leaves one open.

    Args (text with a unit, or a bare number):
        flash, ram: "32kB", "1MB", or bytes; a fraction of a byte is cut off.
        latency: "20ms", "0.5s", or seconds.
        energy: "0.2mJ", "150uJ", or joules, for one inference.
        max_drop: "1%", or a fraction; how far accuracy may fall, 0 ≤ max_drop < 1.

    Raises BudgetError for what cannot be read, and for bounds that are not above zero.
    """

    flash_bytes: int | None
    ram_bytes: int | None
    latency_ms: float | None
    energy_mj: float | None
    max_drop: float | None

    def __init__(
        self,
        flash: Amount = None,
        ram: Amount = None,
        latency: Amount = None,
        energy: Amount = None,
        max_drop: Amount = None,
    ) -> None:
        set_field = object.__setattr__  # the class is frozen
        set_field(self, "flash_bytes", size_bytes("flash", flash))
        set_field(self, "ram_bytes", size_bytes("ram", ram))
        set_field(self, "latency_ms", _latency_ms(latency))
        set_field(self, "energy_mj", _energy_mj(energy))
        set_field(self, "max_drop", _drop(max_drop))

    def __str__(self) -> str:
        bounds = [
            ("flash", self.flash_bytes, "{:,} B"),
            ("RAM", self.ram_bytes, "{:,} B"),
            ("latency", self.latency_ms, "{:g} ms"),
            ("energy", self.energy_mj, "{:g} mJ"),
            ("accuracy drop", self.max_drop, "{:.4g}"),
        ]
        said = [f"{name} ≤ {form.format(value)}" for name, value, form in bounds if value is not None]
        return ", ".join(said) or "no bounds"


def size_bytes(option: str, amount: Amount) -> int | None:
    """Bytes, above zero; None for None. Raises BudgetError that names the option."""
    allowed = 'a size above zero such as "32kB", "1MB" or 32768 (bytes; 1 kB = 1,024 bytes)'
    size = _amount(option, amount, BYTE_UNITS, allowed)
    if size is None:
        return None
    if size < 1:
        raise _unreadable(option, amount, allowed)
    return math.floor(size)


def _latency_ms(amount: Amount) -> float | None:
    allowed = 'a time above zero such as "20ms", "0.5s" or 0.02 (seconds)'
    seconds = _amount("latency", amount, SECOND_UNITS, allowed)
    return _above_zero("latency", amount, seconds, 1e3, allowed)


def _energy_mj(amount: Amount) -> float | None:
    allowed = 'an energy above zero such as "0.2mJ", "150uJ" or 0.0002 (joules)'
    joules = _amount("energy", amount, JOULE_UNITS, allowed)
    return _above_zero("energy", amount, joules, 1e3, allowed)


def _drop(amount: Amount) -> float | None:
    allowed = 'a drop of at least 0 and below 100 %, such as "1%" or 0.01'
    drop = _amount("max_drop", amount, FRACTION_UNITS, allowed)
    if drop is not None and not 0 <= drop < 1:
        raise _unreadable("max_drop", amount, allowed)
    return drop


def _above_zero(
    option: str, amount: Amount, value: float | None, per_unit: float, allowed: str
) -> float | None:
    if value is None:
        return None
    if value <= 0:
        raise _unreadable(option, amount, allowed)
    return float(f"{value * per_unit:.12g}")  # 0.5 nJ is 5e-07 mJ, not 5.000000000000001e-07


def _amount(option: str, amount: Amount, units: Mapping[str, float], allowed: str) -> float | None:
    """The amount in its base unit, finite."""
    if amount is None:
        return None
    if isinstance(amount, str):
        value = _text(amount, units)
    elif isinstance(amount, Real) and not isinstance(amount, bool):
        value = _number(amount)
    else:
        value = None
    if value is None or not math.isfinite(value):
        raise _unreadable(option, amount, allowed)
    return value


def _number(number: Real) -> float | None:
    try:
        return float(number)
    except OverflowError:  # an integer beyond every float
        return None


def _text(text: str, units: Mapping[str, float]) -> float | None:
    match = _AMOUNT.fullmatch(text)
    factor = units.get(match[2], units.get(match[2].lower())) if match else None
    if match is None or factor is None:
        return None
    return float(match[1]) * factor


def _unreadable(option: str, amount: object, allowed: str) -> BudgetError:
    return BudgetError(f"{option} is {amount!r}: pintsize needs {allowed}")

"""What a network takes on the device, and by how much that is over a budget."""

from __future__ import annotations

from dataclasses import dataclass

from pintsize.budget import Budget


@dataclass(frozen=True)
class Size:
    """Figures of one network on one device. None: this device cannot be measured so.

    live_bytes: RAM alive at each step of a run, input, output and stack included: the largest is what RAM must hold.
    """

    flash_bytes: int
    ram_bytes: int
    weight_bytes: int
    latency_ms: float | None = None
    energy_mj: float | None = None
    instructions: int | None = None
    live_bytes: tuple[int, ...] = ()


#: (name, unit) of a figure by its field in Size and in Budget
FIGURES = {
    "flash_bytes": ("flash", "B"),
    "ram_bytes": ("RAM", "B"),
    "latency_ms": ("latency", "ms"),
    "energy_mj": ("energy", "mJ"),
}


def limits_of(budget: Budget) -> dict[str, float]:
    """Field of Size → what the budget allows of it; what is left open is left out."""
    found = {name: getattr(budget, name) for name in FIGURES}
    return {name: float(limit) for name, limit in found.items() if limit is not None}


def shares_of(size: Size, limits: dict[str, float]) -> dict[str, float]:
    """Field → how much of its limit is taken; figures that are not known are left out."""
    have = {name: getattr(size, name) for name in limits}
    return {name: value / limits[name] for name, value in have.items() if value is not None}


def excess(size: Size, limits: dict[str, float]) -> float:
    """The largest share of a limit that is taken: above 1 the size is over the budget. 0 without limits."""
    return max(shares_of(size, limits).values(), default=0.0)


def over_budget(size: Size, budget: Budget) -> str:
    """What is over the budget, in words; "" when nothing is."""
    over = []
    for name, limit in limits_of(budget).items():
        have = getattr(size, name)
        if have is not None and have > limit:
            title, unit = FIGURES[name]
            over.append(f"{title} {_amount(have)} > {_amount(getattr(budget, name))} {unit}")
    return "; ".join(over)


def _amount(value: float) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"

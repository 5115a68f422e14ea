"""Which networks are worth training: chosen by what they would take and what they would lose, before any training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pintsize.budget import Budget
from pintsize.compress.allocate import Rules, allocate, uniform, whole
from pintsize.compress.candidate import Candidate
from pintsize.compress.outline import Allocation
from pintsize.compress.prices import Prices
from pintsize.compress.quantize import Bits
from pintsize.compress.refund import Refund, refund
from pintsize.compress.size import Size, excess, limits_of, over_budget, shares_of
from pintsize.compress.sketch import Sketch

#: times that limits are tightened by what a network was found to take more than was predicted
TIGHTENED = 4
#: a tightened limit lies so far below what would just have kept the budget
MARGIN = 0.998
#: of a network that has no layers to narrow
DEFAULT_BITS: Bits = 8


@dataclass(frozen=True)
class Sketched:
    """A candidate that is not trained yet: its predicted size, and what it loses by its prices.

    refunds: steps that were undone because they saved nothing.
    """

    candidate: Candidate
    allocation: Allocation
    size: Size
    price: float
    refunds: tuple[Refund, ...] = ()


@dataclass(frozen=True)
class Planner:
    """widths, bits: of the networks that are cut alike; shares: of the constants' bytes, to choose channels and bits
    together for; measured: links an allocation for the device, so that a budget is kept by what was measured; without
    it, by what the costs predict.
    """

    sketch: Sketch
    cost: Prices
    rules: Rules
    widths: Sequence[float]
    bits: Sequence[Bits]
    shares: Sequence[float]
    measured: Callable[[Allocation], Size] | None = None

    def shortlist(self, budget: Budget, every_size: bool) -> list[Sketched]:
        """Candidates, largest first; also those over the budget, so that the nearest can be named.

        every_size: all sizes down to the smallest; else the best that the budget allows.
        """
        limits = limits_of(budget)
        found = [self._sketched(a, f"width {w:g}, {b} bit", w, limits) for w, b, a in self._uniform()]
        targets = list(self._targets(limits)) if every_size or not limits else []
        for target in (*([limits] if limits else []), *targets):
            allocation = self._within(target, limits)
            if allocation is not None:
                found.append(self._sketched(allocation, "joint", None, limits))
        unique = list({row.allocation: row for row in found}.values())
        return _named(sorted(_undominated(unique, budget) if every_size else unique, key=_order))

    def _within(self, limits: Mapping[str, float], budget: Mapping[str, float]) -> Allocation | None:
        """What keeps the limits. Where it takes more of the budget than predicted, the limits tighten by as much."""
        aim = dict(limits)
        allocation = allocate(self.sketch, self.cost, aim, self.rules)
        for _ in range(TIGHTENED):
            over = {} if allocation is None else self._over(allocation, budget)
            if not over:
                break
            aim = {n: min(aim[n], over.get(n, aim[n])) for n in aim}
            allocation = allocate(self.sketch, self.cost, aim, self.rules) or allocation
        return allocation

    def _over(self, allocation: Allocation, budget: Mapping[str, float]) -> dict[str, float]:
        """What of the budget it does not keep → the limit under which it would have been predicted to."""
        found = self._size(allocation, budget)
        shares = {n: s for n, s in shares_of(found, dict(budget)).items() if s > 1}
        if not shares:
            return {}
        predicted = self.sketch.size(allocation, "planned")
        return {n: MARGIN * (getattr(predicted, n) or budget[n]) / share for n, share in shares.items()}

    def _size(self, allocation: Allocation, budget: Mapping[str, float]) -> Size:
        """Measured where a budget must be kept, else predicted."""
        if budget and self.measured is not None:
            return self.measured(allocation)
        return self.sketch.size(allocation, "planned")

    def narrowest(self) -> list[Sketched]:
        """All groups at their fewest channels, in 8 and in 4 bits, and without branches that may go."""
        rows: list[Sketched] = []
        for bits in self.bits:
            few = uniform(self.sketch, 0.0, bits, self.rules)
            rows.append(self._sketched(few, f"the narrowest of {bits} bit", 0.0))
            for drop in self.cost.drops if self.rules.drops else ():
                less = replace(few, dropped=(drop,))
                rows.append(self._sketched(less, "the narrowest without a branch", 0.0))
        return rows

    def _uniform(self) -> Iterator[tuple[float, Bits, Allocation]]:
        for width in self.widths:
            for bits in self.bits:
                yield width, bits, uniform(self.sketch, width, bits, self.rules)

    def _targets(self, limits: Mapping[str, float]) -> Iterator[dict[str, float]]:
        """The budget with ever less flash."""
        full = self.sketch.size(whole(self.sketch, self.rules))
        narrow = self.sketch.size(uniform(self.sketch, 1.0, 4, self.rules))
        code = min(s.flash_bytes - s.weight_bytes for s in (full, narrow))
        for share in self.shares:
            flash = code + share * full.weight_bytes
            if flash < limits.get("flash_bytes", float("inf")):
                yield {**limits, "flash_bytes": flash}

    def _sketched(
        self,
        allocation: Allocation,
        title: str,
        width: float | None,
        limits: Mapping[str, float] | None = None,
    ) -> Sketched:
        kept, refunds = refund(self.sketch, self.cost, allocation, self.rules, limits)
        size = self._size(kept, limits or {})
        if (
            refunds and excess(size, dict(limits or {})) > 1
        ):  # a step undone costs room that only measuring shows
            kept, refunds = allocation, ()
            size = self._size(kept, limits or {})
        candidate = self.candidate(kept, self._title(size, title, width), width)
        return Sketched(candidate, kept, size, self.cost.of(kept), refunds)

    def candidate(self, allocation: Allocation, title: str, width: float | None = None) -> Candidate:
        """The allocation as shares of this network's channels. width: of all groups, where they are cut alike."""
        every = {name: len(group.channels) for name, group in self.sketch.whole.groups.items()}
        widths = tuple((name, allocation.widths[name] / every[name]) for name in every)
        counts = Counter(allocation.bits.values())
        share = sum(allocation.widths.values()) / max(sum(every.values()), 1) if every else 1.0
        bits = counts.most_common(1)[0][0] if counts else DEFAULT_BITS
        layer_bits = tuple(allocation.bits.items())
        return Candidate(width or round(share, 3), bits, widths, layer_bits, title, allocation.dropped)

    @staticmethod
    def _title(size: Size, title: str, width: float | None) -> str:
        return title if width is not None else f"{title} {size.flash_bytes / 1000:.3g} kB"


def _order(row: Sketched) -> tuple[float, ...]:
    """Largest first."""
    return -row.size.flash_bytes, -row.size.ram_bytes, row.price


def _undominated(rows: Sequence[Sketched], budget: Budget) -> list[Sketched]:
    """Without those than which another takes no more flash and loses less; what the budget excludes stays."""
    fitting = [row for row in rows if not over_budget(row.size, budget)]
    kept = [row for row in fitting if not any(_dominates(other, row) for other in fitting)]
    return [*kept, *(row for row in rows if over_budget(row.size, budget))]


def _dominates(a: Sketched, b: Sketched) -> bool:
    no_worse = a.price <= b.price and a.size.flash_bytes <= b.size.flash_bytes
    return no_worse and (a.price, a.size.flash_bytes) != (b.price, b.size.flash_bytes)


def _named(rows: Sequence[Sketched]) -> list[Sketched]:
    """Names that are the same get a number."""
    seen: Counter[str] = Counter()
    found: list[Sketched] = []
    for row in rows:
        seen[row.candidate.name] += 1
        again = seen[row.candidate.name]
        title = row.candidate.name if again == 1 else f"{row.candidate.name} ({again})"
        found.append(replace(row, candidate=replace(row.candidate, title=title)))
    return found

"""Channels per group, bits per layer and whole branches, chosen together under any of flash, RAM, latency and energy.

Every channel, narrower weight and branch has a price, in nats of the teacher's answers (prices.py); what going without
it saves is read off the program that would be written (sketch.py). The cheapest step for what it saves is taken again
and again until every limit is kept. Of several limits each counts by the share of its excess that a step takes away;
of RAM, what is alive above the limit at any step of the run, so that of many equal peaks each may be lowered alone.

No group falls far below the width that it would have if all were cut alike: rankings across layers starve some of
them, and what is starved does not recover.

Step by step a peak of RAM or a latency can be a detour: many steps save nothing until others are taken. Under such
limits the widest networks that are cut alike are starting points too; each gets back what the limits have room for,
the cheapest is taken, and groups trade channels where that costs less.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import ceil, gcd

from pintsize.compress.channels import Group
from pintsize.compress.outline import Allocation
from pintsize.compress.prices import NARROWER, Prices
from pintsize.compress.quantize import Bits, output_axis
from pintsize.compress.size import Size
from pintsize.compress.sketch import Sketch
from pintsize.graph import Graph
from pintsize.ops.recurrent import Recurrent

#: no group gets narrower than this share of its width in the uniform solution
LEAST_SHARE = 0.7
#: a step takes this share of a group's channels
STEP_SHARE = 1 / 16
#: layers with fewer channels than this on either side lose too much at 2 bits
LEAST_CHANNELS_AT_2_BITS = 32
UNIFORM_BITS: tuple[Bits, ...] = (8, 4)
#: steps between all channels and the fewest, when all groups are cut alike
UNIFORM_STEPS = 64
#: an excess is measured against that of the whole network, or against this share of the limit if that is more
LEAST_EXCESS = 0.02
#: figures of which nearly every step saves some
SMOOTH = frozenset({"flash_bytes"})
#: what saves this much of its limit's excess for nothing is as good as any
LEAST_PRICE = 1e-9


@dataclass(frozen=True)
class Rules:
    """alignment: of the device's kernels; floor: no layer has fewer outputs; fixed: layers with bits of their own;
    kept: layers whose channels all stay; drops: whether branches may go.
    """

    alignment: int = 4
    floor: int = 4
    fixed: Mapping[str, Bits] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    drops: bool = True

    def width(self, group: Group, share: float) -> int:
        """So much of a group's channels, aligned."""
        every = len(group.channels)
        step = self.step(group)
        return min(every, max(self.least(group), round(every * share / step) * step))

    def step(self, group: Group) -> int:
        return self.alignment // gcd(self.alignment, group.unit)

    def least(self, group: Group) -> int:
        if self.kept & set(group.layers):
            return len(group.channels)
        return min(len(group.channels), ceil(self.floor / group.unit))


def allocate(
    sketch: Sketch, cost: Prices, limits: Mapping[str, float], rules: Rules | None = None
) -> Allocation | None:
    """The allocation that keeps the limits (field of Size → most) and costs little; None where none was found."""
    given = rules or Rules()
    start = whole(sketch, given)
    floors = _floors(sketch, limits, given)
    lowest = {n: given.least(g) for n, g in sketch.whole.groups.items()}
    found = _descend(sketch, cost, limits, given, start, floors)
    if found is None and floors != lowest:
        found = _descend(sketch, cost, limits, given, start, lowest)
    starts = [found, *(_cut_alike(sketch, limits, given) if {*limits} - SMOOTH else ())]
    ends = [_give_back(sketch, cost, limits, given, a) for a in starts if a is not None]
    best = min(ends, key=cost.of, default=None)
    return best if best is None or not {*limits} - SMOOTH else _traded(sketch, cost, limits, given, best)


def whole(sketch: Sketch, rules: Rules) -> Allocation:
    """Every channel, 8 bits where nothing else is fixed."""
    full = sketch.whole.full()
    return replace(full, bits={**full.bits, **{n: b for n, b in rules.fixed.items() if n in full.bits}})


def uniform(sketch: Sketch, share: float, bits: Bits, rules: Rules) -> Allocation:
    """All groups cut alike, all layers of the same bits."""
    start = whole(sketch, rules)
    widths = {n: rules.width(g, share) for n, g in sketch.whole.groups.items()}
    return replace(start, widths=widths, bits={n: rules.fixed.get(n, bits) for n in start.bits})


def keeps(sketch: Sketch, allocation: Allocation, limits: Mapping[str, float]) -> bool:
    """Is every limit kept?"""
    return not any(_over(_size(sketch, allocation, limits), limits).values())


def _size(sketch: Sketch, allocation: Allocation, limits: Mapping[str, float]) -> Size:
    return sketch.size(allocation, ram="least" if "ram_bytes" in limits else "none")


def _over(size: Size, limits: Mapping[str, float]) -> dict[str, float]:
    """Field → how much is over its limit; of RAM the sum over the steps of a run. What is not known is not over."""
    found: dict[str, float] = {}
    for name, limit in limits.items():
        have = getattr(size, name)
        if name == "ram_bytes" and size.live_bytes:
            found[name] = float(sum(max(0.0, live - limit) for live in size.live_bytes))
        else:
            found[name] = max(0.0, float(have) - limit) if have is not None else 0.0
    return found


def _floors(sketch: Sketch, limits: Mapping[str, float], rules: Rules) -> dict[str, int]:
    """Least widths: a share of those of the widest uniform 4-bit network that keeps the limits."""
    widest = _widest(sketch, limits, rules, 4)
    if widest is None:
        return {n: rules.least(g) for n, g in sketch.whole.groups.items()}
    return {n: rules.width(g, LEAST_SHARE * widest) for n, g in sketch.whole.groups.items()}


def _widest(sketch: Sketch, limits: Mapping[str, float], rules: Rules, bits: Bits) -> float | None:
    """The share of channels of the widest uniform network that keeps the limits; None where none does."""
    low, high = 1, UNIFORM_STEPS  # the share lies between
    if not keeps(sketch, uniform(sketch, low / UNIFORM_STEPS, bits, rules), limits):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        fits = keeps(sketch, uniform(sketch, middle / UNIFORM_STEPS, bits, rules), limits)
        low, high = (middle, high) if fits else (low, middle)
    return low / UNIFORM_STEPS


def _cut_alike(sketch: Sketch, limits: Mapping[str, float], rules: Rules) -> Iterator[Allocation]:
    """The widest uniform networks that keep the limits."""
    for bits in UNIFORM_BITS:
        share = _widest(sketch, limits, rules, bits)
        if share is not None:
            yield uniform(sketch, share, bits, rules)


def _descend(
    sketch: Sketch, cost: Prices, limits: Mapping[str, float], rules: Rules, start: Allocation,
    floors: Mapping[str, int],
) -> Allocation | None:  # fmt: skip
    current = start
    before = _over(_size(sketch, current, limits), limits)
    whole_excess = {n: max(before[n], LEAST_EXCESS * limits[n]) for n in limits}
    while any(before.values()):
        best: tuple[float, Allocation, dict[str, float]] | None = None
        paid = cost.of(current)
        for after in _steps(sketch, cost, rules, current, floors):
            over = _over(_size(sketch, after, limits), limits)
            saved = sum((before[n] - over[n]) / whole_excess[n] for n in limits)
            if saved <= 0:
                continue
            price = max(cost.of(after) - paid, LEAST_PRICE) / saved
            if best is None or price < best[0]:
                best = price, after, over
        if best is None:
            return None
        _, current, before = best
    return current


def _steps(
    sketch: Sketch, cost: Prices, rules: Rules, current: Allocation, floors: Mapping[str, int]
) -> Iterator[Allocation]:
    """Everything that may go next."""
    for name, width in current.widths.items():
        narrower = max(floors[name], width - _chunk(sketch.whole.groups[name], rules))
        if narrower < width:
            yield replace(current, widths={**current.widths, name: narrower})
    graph = sketch.graph(current)
    narrow = {n: b for n in current.bits if (b := _narrower(graph, rules, current, n)) is not None}
    for name, bits in narrow.items():
        yield replace(current, bits={**current.bits, name: bits})
    for now in dict.fromkeys(current.bits.values()):  # code for other bits is paid for once
        together = {n: b for n, b in narrow.items() if current.bits[n] == now}
        if len(together) > 1:
            yield replace(current, bits={**current.bits, **together})
    gone = {add for add, _ in current.dropped}
    if rules.drops:
        for drop in cost.drops:
            if drop[0] not in gone:
                yield from _without(sketch, current, drop)


def _without(sketch: Sketch, current: Allocation, drop: tuple[str, int]) -> Iterator[Allocation]:
    """The branch gone; nothing where an earlier drop has taken its add along."""
    present = {n.name for n in sketch.outline(current.dropped).integer.nodes}
    if drop[0] in present:
        yield replace(current, dropped=(*current.dropped, drop))


def _chunk(group: Group, rules: Rules) -> int:
    step = rules.step(group)
    return max(step, round(len(group.channels) * STEP_SHARE / step) * step)


def _narrower(graph: Graph, rules: Rules, current: Allocation, layer: str) -> Bits | None:
    bits = NARROWER.get(current.bits[layer])
    if layer in rules.fixed or bits is None or (bits == 2 and not takes_2_bits(graph, layer)):
        return None
    return bits


def takes_2_bits(graph: Graph, layer: str) -> bool:
    """Has the layer enough channels on both sides?"""
    node = next((n for n in graph.nodes if n.name == layer), None)
    if node is None:
        return False
    weight = graph.tensors[node.inputs[1]]
    outputs = weight.type.shape[0 if isinstance(node.op, Recurrent) else output_axis(weight)]
    return min(outputs, weight.type.elements // max(outputs, 1)) >= LEAST_CHANNELS_AT_2_BITS


def _give_back(
    sketch: Sketch, cost: Prices, limits: Mapping[str, float], rules: Rules, found: Allocation
) -> Allocation:
    """Takes back what the limits turn out to have room for, the dearest first."""
    full = whole(sketch, rules)
    while True:
        paid = cost.of(found)
        wider = [(cost.of(a) - paid, i, a) for i, a in enumerate(_back(sketch, rules, full, found))]
        fits = (
            a for gain, _, a in sorted(wider, key=lambda w: w[:2]) if gain < 0 and keeps(sketch, a, limits)
        )
        best = next(fits, None)
        if best is None:
            return found
        found = best


def _traded(
    sketch: Sketch, cost: Prices, limits: Mapping[str, float], rules: Rules, found: Allocation
) -> Allocation:
    """Narrows one group at a time for what others get back instead, as long as that costs less."""
    for name, group in sketch.whole.groups.items():
        narrower = max(rules.least(group), found.widths[name] - _chunk(group, rules))
        if narrower < found.widths[name]:
            less = replace(found, widths={**found.widths, name: narrower})
            found = min(found, _give_back(sketch, cost, limits, rules, less), key=cost.of)
    return found


def _back(sketch: Sketch, rules: Rules, full: Allocation, found: Allocation) -> Iterator[Allocation]:
    for name, width in found.widths.items():
        wider = min(full.widths[name], width + _chunk(sketch.whole.groups[name], rules))
        if wider > width:
            yield replace(found, widths={**found.widths, name: wider})
    for name, bits in found.bits.items():
        if bits < full.bits[name]:
            yield replace(found, bits={**found.bits, name: 4 if bits == 2 else 8})
    for drop in found.dropped:
        yield replace(found, dropped=tuple(d for d in found.dropped if d[0] != drop[0]))

"""Undoing steps that saved nothing on the device.

Fewer channels than a kernel's alignment, narrow weights whose rows are padded or whose unpacking code weighs more
than they save: such a step costs accuracy for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pintsize.compress.allocate import Rules, keeps, whole
from pintsize.compress.outline import Allocation
from pintsize.compress.prices import Prices
from pintsize.compress.size import Size
from pintsize.compress.sketch import Sketch

#: a step that saves no more than this share of any figure saves nothing
NOTHING = 0.0025


@dataclass(frozen=True)
class Refund:
    """A step that was undone: what it was, and what the program takes with it and without it."""

    step: str
    kept: Allocation
    undone: Allocation
    with_step: Size
    without_step: Size

    @property
    def reason(self) -> str:
        """What it saved, in words."""
        return f"it saves {saving(self.without_step, self.with_step)}"


def saving(before: Size, after: Size) -> str:
    """What going from one size to the other saves, in words; negative is more."""
    flash, ram = before.flash_bytes - after.flash_bytes, before.ram_bytes - after.ram_bytes
    told = f"{flash:,} B of flash, {ram:,} B of RAM"
    if before.instructions is None or after.instructions is None:
        return told
    return f"{told}, {before.instructions - after.instructions:,} instructions"


def costs_no_more(size: Size, than: Size) -> bool:
    """In flash, RAM and instructions, but for next to nothing."""
    pairs = [(size.flash_bytes, than.flash_bytes), (size.ram_bytes, than.ram_bytes)]
    if size.instructions is not None and than.instructions is not None:
        pairs.append((size.instructions, than.instructions))
    return all(have <= allowed * (1 + NOTHING) for have, allowed in pairs)


def refund(
    sketch: Sketch,
    cost: Prices,
    allocation: Allocation,
    rules: Rules,
    limits: Mapping[str, float] | None = None,
) -> tuple[Allocation, tuple[Refund, ...]]:
    """The allocation without the steps that save nothing, the dearest undone first, and what they were.

    limits: what is kept stays kept.
    """
    given = limits or {}
    bound = given if keeps(sketch, allocation, given) else {}
    found: list[Refund] = []
    while True:
        size, paid = sketch.size(allocation), cost.of(allocation)
        free = [
            (cost.of(undone) - paid, i, step, undone)
            for i, (step, undone) in enumerate(_undone(sketch, allocation, rules))
            if costs_no_more(sketch.size(undone), size) and keeps(sketch, undone, bound)
        ]
        if not free:
            return allocation, tuple(found)
        _, _, step, undone = min(free, key=lambda row: row[:2])
        found.append(Refund(step, allocation, undone, size, sketch.size(undone)))
        allocation = undone


def _undone(sketch: Sketch, allocation: Allocation, rules: Rules) -> Iterator[tuple[str, Allocation]]:
    """(the step, the allocation without it): a whole step back, and for channels up to the next multiple too."""
    full = whole(sketch, rules)
    for name, width in allocation.widths.items():
        every, step = full.widths[name], rules.step(sketch.whole.groups[name])
        for wider in dict.fromkeys((min(every, (width // step + 1) * step), every)):
            if wider > width:
                yield (
                    f"{width} instead of {wider} channels in {name}",
                    replace(allocation, widths={**allocation.widths, name: wider}),
                )
    for name, bits in allocation.bits.items():
        if bits < full.bits[name]:
            more = 4 if bits == 2 else 8
            told = f"{bits} instead of {more} bits in {name}"
            yield told, replace(allocation, bits={**allocation.bits, name: more})
    for add, kept in allocation.dropped:
        rest = tuple(d for d in allocation.dropped if d != (add, kept))
        yield f"the branch that {add} adds is dropped", replace(allocation, dropped=rest)

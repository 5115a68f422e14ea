"""What allocations of one network would take on the device, predicted in milliseconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pintsize.compress.blocks import Drop, drop_branches
from pintsize.compress.outline import Allocation, Outline
from pintsize.compress.size import Size
from pintsize.graph import Graph
from pintsize.passes.simplify import fold

#: how RAM is told: not at all (0 B), as what no plan can be below, or as planned in full
Ram = Literal["none", "least", "planned"]


class Costs(Protocol):
    """What an integer Graph takes on the device, without training it."""

    def __call__(self, graph: Graph, ram: Ram = "least") -> Size: ...


@dataclass(frozen=True)
class Sketch:
    """base: the float Graph; integers: a folded float Graph → integers of 8 bits, as they would ship."""

    base: Graph
    integers: Callable[[Graph], Graph]
    costs: Costs
    outlines: dict[tuple[Drop, ...], Outline] = field(default_factory=dict)
    sizes: dict[tuple[Allocation, Ram], Size] = field(default_factory=dict)

    @property
    def whole(self) -> Outline:
        """Nothing dropped."""
        return self.outline(())

    def outline(self, dropped: tuple[Drop, ...]) -> Outline:
        if dropped not in self.outlines:
            folded = fold(drop_branches(self.base, dropped))
            whole = self.outline(()) if dropped else None
            self.outlines[dropped] = Outline.of(folded, self.integers(folded), whole)
        return self.outlines[dropped]

    def graph(self, allocation: Allocation) -> Graph:
        """The allocation's integer Graph, untrained."""
        return self.outline(allocation.dropped).at(allocation)

    def size(self, allocation: Allocation, ram: Ram = "least") -> Size:
        """Predicted."""
        key = allocation, ram
        if key not in self.sizes:
            self.sizes[key] = self.costs(self.graph(allocation), ram)
        return self.sizes[key]

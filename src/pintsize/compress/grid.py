"""Which widths and bits to measure kernels at, so that everything between them can be interpolated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pintsize.compress.allocate import Rules
from pintsize.compress.outline import Allocation, Outline
from pintsize.compress.quantize import Bits
from pintsize.compress.sketch import Sketch
from pintsize.graph import Graph

#: shares of the channels of every second group, and of the others; 0 stands for the fewest
PAIRS = ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (0.5, 0.5))
#: draws beside them, for layers between groups that would always be cut alike
DRAWS = 3
BITS: tuple[Bits, ...] = (8, 4, 2)


def grid(sketch: Sketch, drops: Sequence[tuple[str, int]], rules: Rules) -> list[Graph]:
    """Networks whose layers, taken together, have narrow and wide inputs and outputs in every combination.

    drops: branches, each of which is left out once.
    """
    found = [sketch.graph(a) for a in _allocations(sketch.whole, rules, PAIRS, DRAWS)]
    for drop in drops:
        few = _allocations(sketch.whole, rules, PAIRS[:4], 0)
        found += [sketch.graph(Allocation(a.widths, a.bits, (drop,))) for a in few]
    return found


def _allocations(
    outline: Outline, rules: Rules, pairs: Sequence[tuple[float, float]], draws: int
) -> list[Allocation]:
    names = list(outline.groups)
    random = np.random.default_rng(0)
    regular = [[pair[i % 2] for i in range(len(names))] for pair in pairs]
    drawn = [random.choice((0.0, 1.0), len(names)).tolist() for _ in range(draws)]
    widths = [_widths(outline, rules, names, shares) for shares in (*regular, *drawn)]
    return [Allocation(w, dict.fromkeys(outline.layers, bits)) for w in widths for bits in BITS]


def _widths(
    outline: Outline, rules: Rules, names: Sequence[str], shares: Sequence[float]
) -> Mapping[str, int]:
    return {n: rules.width(outline.groups[n], s) for n, s in zip(names, shares, strict=True)}

"""Finds and counts cells in heatmaps of codes: integers alone, so that Python and C tell the same.

A peak is where a code is at least the class's threshold and no code within its distance is larger; of equal codes the
first one counts, in the order of reading. A class is counted by its peaks or, where cells lie on one another and are
marked now and not then, by mass:

    count = max(0, (offset + Σ weights[code + 128]) >> 16)

and then as many of its strongest peaks are shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: in the order of the heatmap's channels
CLASSES = ("red", "white", "platelets")
#: pixels from one place of the heatmap to the next
STRIDE = 4
#: fractional bits of weights and offset
MASS_BITS = 16


@dataclass(frozen=True)
class Mass:
    """weights: of the 256 codes, from -128 on."""

    weights: tuple[int, ...]
    offset: int

    def count(self, heatmap: NDArray[np.int8]) -> int:
        """heatmap: (rows, columns) codes."""
        total = int(np.asarray(self.weights, np.int64)[heatmap.astype(np.int64) + 128].sum())
        return max(0, (self.offset + total) >> MASS_BITS)


@dataclass(frozen=True)
class Rule:
    """What counts as a cell of a class. threshold: a code; distance: in places of the heatmap."""

    threshold: int
    distance: int
    mass: Mass | None = None


@dataclass(frozen=True)
class Peak:
    """row, column: in the heatmap; code: how sure."""

    row: int
    column: int
    code: int


def peaks(heatmap: NDArray[np.int8], rule: Rule) -> list[Peak]:
    """heatmap: (rows, columns) codes of one class → its peaks in the order of reading."""
    first = _first_of_largest(heatmap, rule.distance)
    rows, columns = np.nonzero(first & (heatmap >= rule.threshold))
    return [
        Peak(int(row), int(column), int(heatmap[row, column]))
        for row, column in zip(rows, columns, strict=True)
    ]


def counted(heatmap: NDArray[np.int8], rule: Rule) -> tuple[int, list[Peak]]:
    """How many cells of a class there are, and where they are shown."""
    found = peaks(heatmap, rule)
    if rule.mass is None:
        return len(found), found
    count = rule.mass.count(heatmap)
    strongest = sorted(found, key=lambda peak: -peak.code)[:count]
    return count, sorted(strongest, key=lambda peak: (peak.row, peak.column))


def rules_of(facts: Mapping[str, Any]) -> tuple[Rule, ...]:
    """As `facts_of` wrote them, in the order of CLASSES."""
    return tuple(_rule_of(facts[name]) for name in CLASSES)


def facts_of(rules: Sequence[Rule]) -> dict[str, dict[str, Any]]:
    """For a manifest."""
    return {name: _facts_of(rule) for name, rule in zip(CLASSES, rules, strict=True)}


def _rule_of(facts: Mapping[str, Any]) -> Rule:
    mass = facts.get("mass")
    by = None if mass is None else Mass(tuple(map(int, mass["weights"])), int(mass["offset"]))
    return Rule(int(facts["threshold"]), int(facts["distance"]), by)


def _facts_of(rule: Rule) -> dict[str, Any]:
    told: dict[str, Any] = {"threshold": rule.threshold, "distance": rule.distance}
    if rule.mass is not None:
        told["mass"] = {"weights": list(rule.mass.weights), "offset": rule.mass.offset}
    return told


def _first_of_largest(heatmap: NDArray[np.int8], distance: int) -> NDArray[np.bool_]:
    """Where no neighbour is larger, and none that is read before is equal."""
    rows, columns = heatmap.shape
    wide = np.full((rows + 2 * distance, columns + 2 * distance), -129, np.int16)
    wide[distance : distance + rows, distance : distance + columns] = heatmap
    found = np.ones(heatmap.shape, bool)
    for down in range(-distance, distance + 1):
        for right in range(-distance, distance + 1):
            if down == right == 0:
                continue
            top, left = distance + down, distance + right
            other = wide[top : top + rows, left : left + columns]
            before = (down, right) < (0, 0)
            found &= (heatmap > other) if before else (heatmap >= other)
    return found

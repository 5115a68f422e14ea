"""Chooses from training pictures what counts as a cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.images.cells.material import Smear, marked_classes
from pintsize.apps.images.cells.peaks import CLASSES, MASS_BITS, Mass, Rule, counted, peaks

Maps = Sequence[NDArray[np.int8]]

#: of a peak to the next of its class, in places of the heatmap
DISTANCES = (2, 5, 2)
#: a place's weight is its probability of being a centre to this power
POWER = 1.5
#: counted by mass
BY_MASS = "red"
THRESHOLDS = np.arange(-120, 125)
#: thresholds whose errors are averaged, so that no lucky one is taken
SMOOTHED = 7
ROUNDS = 60
LEAST_RESIDUAL = 0.3


def chosen_rules(
    parts: Sequence[tuple[Maps, Sequence[Smear]]], scale: float, zero_point: int
) -> tuple[Rule, ...]:
    """The rules of all classes. parts: heatmaps (rows, columns, classes) and pictures; each part weighs the same.

    scale, zero_point: of the codes, which are logits.
    """
    logits = np.asarray(scale * (np.arange(-128, 128) - zero_point), np.float64)
    rules: list[Rule] = []
    for i, name in enumerate(CLASSES):
        believed = [_believed(maps, pictures, i) for maps, pictures in parts]
        rule = Rule(_threshold(believed, DISTANCES[i]), DISTANCES[i])
        if name == BY_MASS:
            maps, marked = (
                [m for part in believed for m in part[0]],
                np.concatenate([part[1] for part in believed]),
            )
            rule = Rule(rule.threshold, rule.distance, fitted_mass(maps, marked, logits))
        rules.append(rule)
    return tuple(rules)


def errors_of(rules: Sequence[Rule], maps: Maps, pictures: Sequence[Smear]) -> list[float]:
    """The count error of each class, on pictures that are marked for it."""
    found: list[float] = []
    for i, rule in enumerate(rules):
        own, marked = _believed(maps, pictures, i)
        counts = np.array([counted(heatmap, rule)[0] for heatmap in own])
        found.append(float(np.abs(counts - marked).sum() / max(marked.sum(), 1)))
    return found


def fitted_mass(maps: Maps, marked: NDArray[np.int64], logits: NDArray[np.float64]) -> Mass:
    """The gain and offset with the least sum of absolute errors, by reweighted least squares.

    logits: of the 256 codes, from -128 on.
    """
    chances = (1 / (1 + np.exp(-logits))) ** POWER
    sums = np.array([chances[heatmap.astype(np.int64) + 128].sum() for heatmap in maps])
    given = np.column_stack([sums, np.ones(len(sums))])
    weights = np.ones(len(sums))
    best = np.zeros(2)
    for _ in range(ROUNDS):
        normal = (given * weights[:, None]).T
        best = np.linalg.solve(normal @ given + 1e-6 * np.eye(2), normal @ marked)
        weights = 1 / np.maximum(np.abs(given @ best - marked), LEAST_RESIDUAL)
    one = 1 << MASS_BITS
    return Mass(
        tuple(int(w) for w in np.rint(best[0] * one * chances)), round((best[1] + 0.5) * one)
    )  # halves up


def _believed(
    maps: Maps, pictures: Sequence[Smear], i: int
) -> tuple[list[NDArray[np.int8]], NDArray[np.int64]]:
    rows = [row for row, smear in enumerate(pictures) if marked_classes(smear)[i]]
    return [maps[row][..., i] for row in rows], np.array([pictures[row].counts[i] for row in rows], np.int64)


def _threshold(parts: Sequence[tuple[list[NDArray[np.int8]], NDArray[np.int64]]], distance: int) -> int:
    error = np.mean([_errors(maps, marked, distance) for maps, marked in parts], axis=0)
    around = SMOOTHED // 2
    smooth = np.convolve(np.pad(error, around, mode="edge"), np.ones(SMOOTHED) / SMOOTHED, "valid")
    return int(THRESHOLDS[int(smooth.argmin())])


def _errors(maps: Maps, marked: NDArray[np.int64], distance: int) -> NDArray[np.float64]:
    """The count error at each threshold."""
    codes = [np.array([p.code for p in peaks(heatmap, Rule(-128, distance))]) for heatmap in maps]
    found = np.array([[(c >= t).sum() for c in codes] for t in THRESHOLDS])
    return np.abs(found - marked).sum(1) / max(int(marked.sum()), 1)

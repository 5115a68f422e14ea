"""What counts as a cell is chosen from pictures whose cells are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.images.cells.choosing import chosen_rules, errors_of
from pintsize.apps.images.cells.material import HEIGHT, WIDTH, Smear, marked_classes
from pintsize.apps.images.cells.peaks import CLASSES, STRIDE

SCALE, ZERO_POINT = 1 / 16, -10


def smear(counts: tuple[int, int, int], name: str = "drawn") -> Smear:
    centres = tuple(
        np.array([[20.0 + 24 * i, 20.0 + 60 * c] for i in range(n)]).reshape(-1, 2)
        for c, n in enumerate(counts)
    )
    return Smear(name, np.zeros((HEIGHT, WIDTH, 3), np.uint8), centres)


def heatmap(of: Smear, random: np.random.Generator) -> NDArray[np.int8]:
    """Codes of about 40 at the cells, of about -90 elsewhere, with false ones of about 0."""
    found = random.integers(-100, -80, (HEIGHT // STRIDE, WIDTH // STRIDE, len(CLASSES)))
    for i, points in enumerate(of.centres):
        for x, y in points:
            found[int(y) // STRIDE, int(x) // STRIDE, i] = random.integers(35, 45)
        found[50, 70, i] = random.integers(-5, 5)
    return found.astype(np.int8)


def test_cells_that_are_plain_are_counted_without_error() -> None:
    random = np.random.default_rng(0)
    pictures = [smear((4 + i % 7, i % 3, i % 4)) for i in range(14)]
    maps = [heatmap(s, random) for s in pictures]
    rules = chosen_rules([(maps[:7], pictures[:7]), (maps[7:], pictures[7:])], SCALE, ZERO_POINT)
    assert errors_of(rules, maps, pictures) == [0.0, 0.0, 0.0]
    assert 5 <= rules[1].threshold <= 35
    assert rules[0].mass is not None


def test_a_picture_with_next_to_no_red_cells_marked_is_not_believed() -> None:
    assert marked_classes(smear((3, 1, 0))).tolist() == [False, True, True]
    assert marked_classes(smear((4, 0, 0))).tolist() == [True, True, True]

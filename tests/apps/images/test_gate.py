"""What cannot be looked at is refused by whole numbers, each for its own reason."""

from __future__ import annotations

import numpy as np
import pytest

from pintsize.apps.images.gate import COLOURLESS, NAMES, Gate, gate_of, statistics
from pintsize.apps.images.spoiling import Spoil, blurred, dark, flat, overexposed
from pintsize.errors import UserError
from tests.apps.images.drawing import picture, smooth


def test_statistics_of_a_checkerboard_by_hand() -> None:
    board = np.where(np.indices((4, 4)).sum(0) % 2, 200, 100).astype(np.uint8)
    found = statistics(np.repeat(board[..., None], 3, axis=2))
    assert found.brightness == 150
    assert found.contrast == 16 * 50
    assert found.sharpness == 1024 * (4 * 400) // (24 * 100)  # four inner pixels; 24 pairs of neighbours
    assert (found.colour, found.clipped, found.reddish, found.bluish) == (0, 0, COLOURLESS, COLOURLESS)


def test_tints_round_down_below_zero_too() -> None:
    pixels = np.zeros((3, 3, 3), np.uint8)
    pixels[0, 0] = (0, 1, 0)
    found = statistics(pixels)
    assert (found.reddish, found.bluish) == (COLOURLESS - 2, COLOURLESS - 2)  # -16/9 rounds down


def test_clipped_counts_black_and_white() -> None:
    pixels = np.full((2, 2, 3), 128, np.uint8)
    pixels[0, 0], pixels[1, 1] = 0, 255
    assert statistics(pixels).clipped == 500


@pytest.mark.parametrize(
    ("spoil", "name", "reason"),
    [
        (dark, "brightness", "too dark"),
        (overexposed, "brightness", "overexposed"),
        (flat, "contrast", "flat"),
        (blurred, "sharpness", "blurred"),
    ],
)
def test_each_fault_has_its_reason(spoil: Spoil, name: str, reason: str) -> None:
    pictures = [smooth(28, seed) for seed in range(40)]
    gate = gate_of(pictures, [name])
    assert [gate.refuses(statistics(p)) for p in pictures] == [None] * len(pictures)
    told = [gate.refuses(statistics(spoil(picture(p)).pixels)) for p in pictures]
    assert all(reason in str(one) for one in told), told


def test_colours_are_refused_where_pictures_have_none() -> None:
    pictures = [smooth(28, seed) for seed in range(20)]
    gate = gate_of(pictures, NAMES)
    tinted = pictures[0].copy()
    tinted[..., 0] = np.minimum(tinted[..., 0] + 40, 255)
    assert "colours" in str(gate.refuses(statistics(tinted)))


def test_a_gate_comes_back_from_its_facts() -> None:
    gate = Gate({"brightness": (3, 90), "sharpness": (10, 20)})
    assert Gate.read(gate.facts()) == gate
    with pytest.raises(UserError, match="smell"):
        Gate({"smell": (0, 1)})

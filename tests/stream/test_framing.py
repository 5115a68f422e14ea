from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pintsize.errors import UserError
from pintsize.stream.block import Block
from pintsize.stream.framing import Framing


@given(st.integers(1, 9), st.integers(1, 9), st.lists(st.integers(0, 7), max_size=12), st.floats(0, 1e6))
def test_windows_do_not_depend_on_the_blocks(
    window: int, hop: int, lengths: list[int], start_s: float
) -> None:
    hop = min(hop, window)
    samples = np.arange(sum(lengths), dtype=np.float32)[:, None]
    framing, at, frames = Framing(window, hop), 0, []
    for length in lengths:
        frames += framing.push(Block(samples[at : at + length], start_s + at / 8, 8.0))
        at += length
    assert [f.samples[0, 0] for f in frames] == [*range(0, len(samples) - window + 1, hop)]
    for frame in frames:
        assert frame.samples[:, 0].tolist() == [frame.samples[0, 0] + i for i in range(window)]
        assert frame.start_s == pytest.approx(start_s + frame.samples[0, 0] / 8, abs=1e-6)
        assert frame.end_s == pytest.approx(frame.start_s + window / 8, abs=1e-6)


def test_a_clock_that_jitters_sets_no_window_back() -> None:
    framing = Framing(2, 2)
    blocks = [Block(np.zeros((2, 1)), start_s, 100.0) for start_s in (0.0, 0.03, 0.028, 0.06)]
    ends = [frame.end_s for block in blocks for frame in framing.push(block)]
    assert ends == sorted(ends)


def test_what_is_left_is_forgotten_on_a_break() -> None:
    framing = Framing(4, 4)
    assert not list(framing.push(Block(np.zeros((3, 1)), 0.0, 100.0)))
    framing.clear()
    assert not list(framing.push(Block(np.ones((3, 1)), 9.0, 100.0)))
    (frame,) = framing.push(Block(np.ones((1, 1)), 9.03, 100.0))
    assert frame.samples.min() == 1
    assert frame.start_s == pytest.approx(9.0)


def test_pictures_are_windows_of_one() -> None:
    pictures = np.zeros((2, 3, 4, 3), np.uint8)
    frames = list(Framing(1, 1).push(Block(pictures, 0.0, 30.0)))
    assert [f.samples.shape for f in frames] == [(1, 3, 4, 3)] * 2


def test_a_hop_beyond_the_window_is_refused() -> None:
    with pytest.raises(UserError, match="hop"):
        Framing(4, 5)

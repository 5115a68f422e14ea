"""A paced replay waits as the recording did, on a clock that the test turns."""

from __future__ import annotations

import numpy as np

from pintsize.stream.block import Block
from pintsize.stream.paced import Paced
from pintsize.stream.source import Source
from tests.stream.scripted import Scripted


def paced(blocks: list[Block], slow_s: float = 0.0) -> tuple[list[Block], list[float]]:
    """The blocks, and when each came; the loop takes slow_s for each."""
    now = [100.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    source: Source = Scripted(blocks)
    came: list[float] = []
    taken: list[Block] = []
    for block in Paced(source, lambda: now[0], sleep).blocks():
        came.append(round(now[0] - 100, 6))
        taken.append(block)
        now[0] += slow_s
    return taken, came


def recording(starts_s: list[float]) -> list[Block]:
    return [
        Block(np.zeros((10, 1), np.int16), start_s, 100.0, index=at) for at, start_s in enumerate(starts_s)
    ]


def test_each_block_comes_when_its_last_sample_was_taken() -> None:
    assert paced(recording([5.0, 5.1, 5.2]))[1] == [0.1, 0.2, 0.3]


def test_a_slow_loop_gets_everything_later() -> None:
    blocks, came = paced(recording([0.0, 0.1, 0.2, 0.3]), slow_s=1.0)
    assert [block.index for block in blocks] == [0, 1, 2, 3]
    assert came == [0.1, 1.1, 2.1, 3.1]


def test_a_gap_of_a_day_and_a_clock_set_back_are_not_waited_out() -> None:
    assert paced(recording([0.0, 86400.0, 86400.1, 3.0]))[1] == [0.1, 0.2, 0.3, 0.4]

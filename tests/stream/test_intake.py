from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import numpy as np
import pytest

from pintsize.errors import SourceLost
from pintsize.stream.block import Block
from pintsize.stream.intake import Intake
from tests.stream.scripted import RATE_HZ, Scripted, blocks_of, wave


class Held(Scripted):
    """Gives its second block only when it is let go, and its last one then only when it is asked for.

    all_but_last: set when the one before the last was taken over
    """

    def __init__(self, blocks: list[Block], lossless: bool) -> None:
        super().__init__(blocks, lossless=lossless)
        self.go_on, self.all_but_last, self.finish = Event(), Event(), Event()

    def blocks(self) -> Iterator[Block]:
        yield self.given[0]
        assert self.go_on.wait(10)
        yield from self.given[1:-1]
        self.all_but_last.set()
        assert self.finish.wait(10)
        yield self.given[-1]


def collect(blocks: Iterator[Block], taken: list[Block]) -> None:
    """Into a list that still has them when the source is lost."""
    for block in blocks:
        taken.append(block)


def test_a_lossless_source_loses_nothing_and_keeps_its_order() -> None:
    intake = Intake(Scripted(blocks_of(wave(20))))
    assert [b.index for b in intake.blocks()] == list(range(200))
    assert intake.dropped_samples == 0


def test_the_end_of_a_lost_source_comes_after_its_blocks() -> None:
    intake, taken = Intake(Scripted(blocks_of(wave(1)), lost="unplugged")), []
    with pytest.raises(SourceLost, match="unplugged"):
        collect(intake.blocks(), taken)
    assert [block.index for block in taken] == list(range(10))


def test_the_newest_picture_wins_and_says_what_is_missing() -> None:
    source = Held(blocks_of(wave(1)), lossless=False)
    intake = Intake(source)
    blocks = intake.blocks()
    assert next(blocks).index == 0
    source.go_on.set()
    assert source.all_but_last.wait(10)
    second = next(blocks)
    assert second.index == 8
    assert intake.dropped_samples == 70
    assert second.gap_before_s == pytest.approx(0.7)
    source.finish.set()
    assert next(blocks).index == 9
    assert intake.behind_s(0.25) == pytest.approx(0.75)
    assert next(blocks, None) is None


def test_a_heartbeat_does_not_take_a_picture_s_place() -> None:
    beat = Block(np.zeros((0, 1), np.int16), 0.2, RATE_HZ)
    last = Block(np.ones((1, 1), np.int16), 0.3, RATE_HZ, index=7)
    picture = Block(np.ones((2, 1), np.int16), 0.1, RATE_HZ, index=6)
    source = Held([*blocks_of(wave(0.1)), picture, beat, last], lossless=False)
    intake = Intake(source)
    blocks = intake.blocks()
    assert next(blocks).index == 0
    source.go_on.set()
    assert source.all_but_last.wait(10)
    assert next(blocks).index == 6
    source.finish.set()
    assert [b.index for b in blocks] == [7]


def test_what_is_no_fault_of_the_source_is_raised_where_it_is_decided() -> None:
    class Buggy(Scripted):
        def blocks(self) -> Iterator[Block]:
            raise ZeroDivisionError
            yield

    with pytest.raises(ZeroDivisionError):
        list(Intake(Buggy([])).blocks())


def test_nobody_waits_for_ever_when_it_is_closed() -> None:
    source = Held(blocks_of(wave(60)), lossless=True)
    intake = Intake(source)
    next(intake.blocks())
    source.go_on.set()  # 60 s of signal: more than waits here
    source.finish.set()
    intake.close()
    assert not intake._thread.is_alive()

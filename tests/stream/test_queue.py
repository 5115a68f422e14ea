"""Lossless tells what it lost, newest-wins keeps the newest, and a writer that can wait does."""

from __future__ import annotations

from threading import Thread

import numpy as np
import pytest

from pintsize.errors import SourceLost
from pintsize.stream.block import Block, heartbeat
from pintsize.stream.queue import BlockQueue, Policy

RATE_HZ = 10.0
LONG_S = 60.0


def block(index: int) -> Block:
    return Block(np.full((10, 1), index, np.int16), float(index), RATE_HZ, index=index)


def queue(policy: Policy, capacity_s: float, silent_after_s: float = LONG_S) -> BlockQueue:
    return BlockQueue(policy, capacity_s, silent_after_s, heartbeat(1, RATE_HZ, np.int16))


def test_lossless_says_what_it_could_not_take() -> None:
    full = queue("lossless", 3.0)
    for index in range(5):
        full.put(block(index))
    taken = full.blocks()
    assert [next(taken).index for _ in range(3)] == [0, 1, 2]
    full.put(block(5))
    full.end()
    (late,) = list(taken)
    assert (late.index, late.gap_before_s) == (5, 2.0)
    assert full.dropped_samples == 20


def test_newest_wins_and_counts() -> None:
    full = queue("newest", 2.0)
    for index in range(5):
        full.put(block(index))
    full.end()
    kept = list(full.blocks())
    assert [one.index for one in kept] == [3, 4]
    assert [one.gap_before_s for one in kept] == [3.0, 0.0]
    assert full.dropped_samples == 30


def test_a_writer_that_can_wait_loses_nothing() -> None:
    full = queue("wait", 2.0)

    def write() -> None:
        for index in range(50):
            full.put(block(index))
        full.end()

    writer = Thread(target=write)
    writer.start()
    assert [one.index for one in full.blocks()] == list(range(50))
    writer.join()
    assert full.dropped_samples == 0


def test_a_block_larger_than_the_queue_still_fits() -> None:
    small = queue("lossless", 0.1)
    small.put(block(0))
    small.end()
    assert [one.index for one in small.blocks()] == [0]


def test_silence_gives_heartbeats_even_before_the_first_block() -> None:
    silent = queue("lossless", 5.0, 0.001)
    beats = silent.blocks()
    first, second = next(beats), next(beats)
    assert len(first.samples) == 0
    assert second.start_s > first.start_s
    silent.put(block(3))
    one = next(one for one in beats if len(one.samples))
    assert one.index == 3
    assert next(beats).start_s > one.end_s


def test_a_break_is_told_after_what_came_before() -> None:
    broken = queue("lossless", 5.0)
    broken.put(block(0))
    broken.end("unplugged")
    broken.put(block(1))
    taken = broken.blocks()
    assert next(taken).index == 0
    with pytest.raises(SourceLost, match="unplugged"):
        next(taken)


def test_close_ends_at_once() -> None:
    closed = queue("lossless", 5.0)
    closed.put(block(0))
    closed.close()
    assert list(closed.blocks()) == []

"""A replay as fast as it was recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from pintsize.stream.block import Block
from pintsize.stream.source import Source, Wrapping

#: a longer pause between two blocks (a gap, a clock that jumped) is not waited out
_LONGEST_PAUSE_S = 2.0


class Paced(Wrapping):
    """Each block comes when its last sample would have been taken. A loop that is slow gets it later, never not.

    now, sleep: a clock in seconds and how to wait; others for tests
    """

    def __init__(
        self,
        source: Source,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(source)
        self._now, self._sleep = now, sleep

    def blocks(self) -> Iterator[Block]:
        begin: float | None = None
        due = 0.0
        for block in self.source.blocks():
            if begin is None:
                due = self._now()
                begin = due - block.start_s
            pause_s = begin + block.end_s - due
            if not 0 <= pause_s <= _LONGEST_PAUSE_S + block.duration_s:
                begin = due + block.duration_s - block.end_s  # as if it followed on what came before
            due = begin + block.end_s
            wait_s = due - self._now()
            if wait_s > 0:
                self._sleep(wait_s)
            yield block

"""Between a device that delivers when it likes and a loop that takes when it can.

Two kinds of full: a *lossless* queue refuses what no longer fits and says on the next block that it did (a gap); a
*newest-wins* queue lets go of the oldest, and counts. A producer that can wait (a pipe) is made to wait instead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from threading import Condition
from typing import Literal

from pintsize.errors import SourceLost
from pintsize.stream.block import Block

Policy = Literal["lossless", "newest", "wait"]


class BlockQueue:
    """Blocks from a thread of the device's to the thread that asks for them.

    policy: what happens when it is full
    capacity_s: how much signal it holds; at least one block always fits
    silent_after_s: with nothing for this long, a heartbeat comes out
    nothing: a block without samples, as the source would make it at its start; heartbeats are made from it
    """

    def __init__(self, policy: Policy, capacity_s: float, silent_after_s: float, nothing: Block) -> None:
        self.dropped_samples = 0
        self._policy = policy
        self._capacity_s = capacity_s
        self._silent_after_s = silent_after_s
        self._nothing = nothing
        self._blocks: deque[Block] = deque()
        self._held_s = 0.0
        self._missing_s = 0.0  # refused since the last block that was taken in
        self._ended = False
        self._reason: str | None = None
        self._changed = Condition()

    def put(self, block: Block) -> None:
        """Called by the device's thread. Waits only under the policy "wait"."""
        with self._changed:
            if self._policy == "wait":
                self._changed.wait_for(lambda: self._ended or self._fits(block))
            if self._ended:
                return
            if self._policy == "lossless" and not self._fits(block):
                self.dropped_samples += len(block.samples)
                self._missing_s += block.gap_before_s + block.duration_s
                return
            if self._missing_s:
                block = replace(block, gap_before_s=block.gap_before_s + self._missing_s)
                self._missing_s = 0.0
            self._blocks.append(block)
            self._held_s += block.duration_s
            if self._policy == "newest":
                self._let_go()
            self._changed.notify_all()

    def end(self, reason: str | None = None) -> None:
        """No more will come; with a reason, the source broke. What is queued still comes out."""
        with self._changed:
            if not self._ended:
                self._ended, self._reason = True, reason
                self._changed.notify_all()

    def close(self) -> None:
        """Ends at once: what is queued is given up."""
        with self._changed:
            self._ended = True
            self._blocks.clear()
            self._changed.notify_all()

    def blocks(self) -> Iterator[Block]:
        """The blocks in order, and heartbeats. Raises SourceLost at the end, if the source broke."""
        heard_s, silent_s = self._nothing.start_s, 0.0
        while True:
            block = self._next()
            if block is None and self._ended:
                if self._reason is not None:
                    raise SourceLost(self._reason)
                return
            if block is not None:
                heard_s, silent_s = block.end_s, 0.0
                yield block
                continue
            silent_s += self._silent_after_s
            yield replace(self._nothing, start_s=heard_s + silent_s)

    def _fits(self, block: Block) -> bool:
        return not self._blocks or self._held_s + block.duration_s <= self._capacity_s + 1e-9

    def _let_go(self) -> None:
        while self._held_s > self._capacity_s + 1e-9 and len(self._blocks) > 1:
            oldest = self._blocks.popleft()
            self._held_s -= oldest.duration_s
            self.dropped_samples += len(oldest.samples)
            missing_s = oldest.gap_before_s + oldest.duration_s
            self._blocks[0] = replace(self._blocks[0], gap_before_s=self._blocks[0].gap_before_s + missing_s)

    def _next(self) -> Block | None:
        """The next block; None after a silence, and at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._blocks or self._ended, self._silent_after_s)
            if not self._blocks:
                return None
            block = self._blocks.popleft()
            self._held_s = self._held_s - block.duration_s if self._blocks else 0.0
            self._changed.notify_all()
            return block

"""Takes blocks from a live source as they come, while older ones are still being worked on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from threading import Condition, Thread

from pintsize.stream.block import Block
from pintsize.stream.source import Source

#: of a lossless source at most this much waits here; beyond that the source itself has to keep or lose it, and says so
MOST_WAITING_S = 30.0
_PATIENCE_S = 2.0


class Intake:
    """The blocks of a source, fetched by a thread of its own.

    Of a lossless source all of them; of a newest-wins source the newest, and the block after dropped ones says what is
    missing before it.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._waiting: deque[Block] = deque()
        self._changed = Condition()
        self._newest_s = float("-inf")
        self._failure: BaseException | None = None
        self._ended = self._closed = False
        self.dropped_samples = 0
        self._thread = Thread(target=self._fetch, name=f"intake of {source.name}", daemon=True)

    def behind_s(self, end_s: float) -> float:
        """How much newer than `end_s` the newest sample is that has come in."""
        with self._changed:
            return max(0.0, self._newest_s - end_s)

    def blocks(self) -> Iterator[Block]:
        """As the source's own. Raises SourceLost after all that came before."""
        self._thread.start()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    break
                block = self._waiting.popleft()
                self._changed.notify_all()
            yield block
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Takes no more; the source is the caller's to close."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(_PATIENCE_S)

    def _fetch(self) -> None:
        try:
            for block in self._source.blocks():
                if not self._keep(block):
                    break
        # whatever it is, it is raised in the thread that decides
        except BaseException as error:  # noqa: BLE001
            self._failure = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _keep(self, block: Block) -> bool:
        """False once nobody wants more."""
        with self._changed:
            if self._source.lossless:
                self._changed.wait_for(lambda: self._closed or self._has_room(block))
                self._waiting.append(block)
            else:
                self._replace(block)
            self._newest_s = block.end_s
            self._changed.notify_all()
            return not self._closed

    def _has_room(self, block: Block) -> bool:
        return not self._waiting or block.end_s - self._waiting[0].start_s <= MOST_WAITING_S

    def _replace(self, block: Block) -> None:
        if self._waiting and not len(block.samples):
            return  # a heartbeat is no news while there is a picture
        while self._waiting:
            old = self._waiting.pop()
            self.dropped_samples += len(old.samples)
            block = replace(block, gap_before_s=block.gap_before_s + old.gap_before_s + old.duration_s)
        self._waiting.append(block)

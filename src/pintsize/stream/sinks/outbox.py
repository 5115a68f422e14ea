"""Decisions on their way to a sink: kept until the sink has them, sent again when it fails."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Thread

from pintsize.errors import SinkError, UserError
from pintsize.stream.decision import Decision
from pintsize.stream.sinks.journal import Journal
from pintsize.stream.sinks.sink import Sink


@dataclass(frozen=True)
class Keeping:
    """How decisions are kept while the sink fails.

    folder: where those not sent yet are kept on disk, so that they outlive the program; None: in memory
    most: that many wait at most; then the oldest is dropped, counted and told
    retry_s, longest_retry_s: the first wait after a failure, doubled up to the longest
    patience_s: how long the end of a run waits for the sink
    """

    folder: Path | None = None
    most: int = 10_000
    retry_s: float = 0.5
    longest_retry_s: float = 30.0
    patience_s: float = 5.0

    def __post_init__(self) -> None:
        if not (0 < self.retry_s <= self.longest_retry_s and self.patience_s >= 0 and self.most >= 1):
            raise UserError(
                f"outbox: retry_s {self.retry_s}, longest_retry_s {self.longest_retry_s}, patience_s "
                f"{self.patience_s}, most {self.most}: waits above 0, the longest not below the first, one at least"
            )


@dataclass(frozen=True)
class Delivery:
    """What became of the decisions: sent, still waiting (on disk, where a folder keeps them), dropped, and failures."""

    sink: str
    sent: int
    waiting: int
    dropped: int
    failures: int
    last_failure: str | None
    kept_in: str | None


class Outbox:
    """Between the run and one sink: `put` never waits for the sink and never fails because of it.

    A sink that may wait has a thread of its own; another one is called at once. Order is kept.
    said: called with a line for a person whenever a sink begins to fail, works again, or loses something; maybe from
      that thread. now: a clock in seconds; another one for tests
    """

    def __init__(
        self,
        sink: Sink,
        keeping: Keeping | None = None,
        said: Callable[[str], None] = lambda line: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self.sink, self._keeping, self._said = sink, keeping or Keeping(), said
        self._journal = Journal(sink.name, self._keeping.folder, self._keeping.most)
        self._sent = self._dropped = self._failures = 0
        self._last_failure: str | None = None
        self._broken: BaseException | None = None
        self._failing = self._closing = False
        self._retry_s = self._keeping.retry_s
        self._not_before_s = -math.inf
        self._changed = Condition()
        self._thread = Thread(target=self._work, name=f"outbox of {sink.name}", daemon=True)
        if self._journal.waiting:
            said(f"{sink.name}: {self._journal.waiting} decisions of an earlier run are still to be sent")
        if sink.waits:
            self._thread.start()

    def put(self, decision: Decision) -> None:
        """Raises what broke the sink's thread, if it was no failure to send: a bug, or a socket that is not allowed."""
        self._raise_broken()
        with self._changed:
            sound = self._journal.failure is None
            lost = self._journal.add(decision)
            self._changed.notify_all()
        if sound and self._journal.failure:
            self._said(self._journal.failure)
        self._tell_lost(lost)
        if not self.sink.waits:
            self._send_due()

    def close(self) -> Delivery:
        """Sends what can still be sent within the patience, closes the sink, and says what became of everything."""
        until_s = self._now() + self._keeping.patience_s
        if self.sink.waits:
            with self._changed:
                self._not_before_s = -math.inf
                self._changed.notify_all()
                self._changed.wait_for(
                    lambda: not self._journal.waiting or self._broken is not None, self._keeping.patience_s
                )
                self._closing = True
                self._changed.notify_all()
            self._thread.join(max(0.0, until_s - self._now()) + self._keeping.retry_s)
        else:
            self._not_before_s = -math.inf
            self._send_due()
        delivered = self._delivered()
        if not self._thread.is_alive():  # one that hangs in its sink is left to end with the program
            self.sink.close()
        self._raise_broken()
        return delivered

    def _delivered(self) -> Delivery:
        with self._changed:
            self._journal.close()
            waiting = self._journal.waiting
            kept = self._journal.path if waiting and not self._journal.failure else None
        if waiting:
            where = f"kept in {kept}" if kept else "lost with this program, for no folder keeps them"
            self._said(f"{self.sink.name}: {waiting} decisions could not be sent; {where}")
        return Delivery(
            self.sink.name, self._sent, waiting, self._dropped, self._failures, self._last_failure,
            str(kept) if kept else None,
        )  # fmt: skip

    def _raise_broken(self) -> None:
        if self._broken is not None:
            raise self._broken

    def _work(self) -> None:
        try:
            self._send_until_closed()
        # whatever it is, it is raised where the run puts decisions
        except BaseException as error:  # noqa: BLE001
            with self._changed:
                self._broken = error
                self._changed.notify_all()

    def _send_until_closed(self) -> None:
        while True:
            with self._changed:
                while not self._closing and (not self._journal.waiting or self._pause_s() > 0):
                    self._changed.wait(self._pause_s() or None)
                if self._closing:
                    return
            self._send_due()

    def _pause_s(self) -> float:
        """Until the sink is tried again."""
        return max(0.0, self._not_before_s - self._now())

    def _send_due(self) -> None:
        """Sends from the oldest on, until none waits or the sink fails."""
        while not self._closing and self._pause_s() == 0:
            with self._changed:
                first = self._journal.first()
            if first is None:
                return
            number, decision = first
            try:
                self.sink.send(decision, number)
            except SinkError as error:
                self._failed(str(error))
            else:
                self._succeeded(number)

    def _succeeded(self, number: int) -> None:
        with self._changed:
            self._journal.done(number)
            self._sent += 1
            self._changed.notify_all()
        self._retry_s = self._keeping.retry_s
        if self._failing:
            self._failing = False
            self._said(f"{self.sink.name}: works again")

    def _failed(self, reason: str) -> None:
        self._failures += 1
        self._last_failure = reason
        self._not_before_s = self._now() + self._retry_s
        self._retry_s = min(2 * self._retry_s, self._keeping.longest_retry_s)
        if not self._failing:
            self._failing = True
            self._said(f"{reason}; its decisions are kept and sent again")

    def _tell_lost(self, lost: int) -> None:
        if lost and not self._dropped:
            self._said(
                f"{self.sink.name}: more than {self._keeping.most} decisions wait: the oldest is dropped"
            )
        self._dropped += lost

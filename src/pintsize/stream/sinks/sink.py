"""Where decisions go. A sink that leaves the device says so, and is refused unless the user allows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from pintsize.errors import OfflineRefusal
from pintsize.stream.decision import Decision


class Sink(Protocol):
    """name: stands in messages; leaves_device: whether what it is given can reach another machine.

    waits: whether `send` may wait on something outside this program; it then gets a thread of its own.
    """

    @property
    def name(self) -> str: ...
    @property
    def leaves_device(self) -> bool: ...
    @property
    def waits(self) -> bool: ...

    def send(self, decision: Decision, number: int, /) -> None:
        """Hands it over, or raises SinkError: then the same decision comes again later.

        number: which decision of the run it is, from 0; the same when it comes again.
        """
        ...

    def close(self) -> None:
        """Gives back what it holds; a second call does nothing."""
        ...


def refuse_leaving(sinks: Iterable[Sink], offline: bool = True) -> None:
    """Raises OfflineRefusal, before anything was sent, when offline and one of the sinks leaves the device."""
    leaving = [sink.name for sink in sinks if sink.leaves_device]
    if offline and leaving:
        raise OfflineRefusal(
            f"{', '.join(leaving)} would leave this device, and offline is the default. "
            "Take it away, or allow it: --online"
        )

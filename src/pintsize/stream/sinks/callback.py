"""Decisions handed to a function of the application."""

from __future__ import annotations

from collections.abc import Callable

from pintsize.errors import SinkError
from pintsize.stream.decision import Decision

#: what a function may raise about the decision or the world; anything else ends the run, as it should
FAILURES = (ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)


class CallbackSink:
    """Calls a function with each decision; when it raises, the decision comes again later.

    leaves_device: whether the function sends anything to another machine; it is the application's to say.
    """

    waits = False

    def __init__(
        self, function: Callable[[Decision], object], name: str = "callback", leaves_device: bool = False
    ) -> None:
        self.name, self.leaves_device = name, leaves_device
        self._function = function

    def send(self, decision: Decision, number: int) -> None:
        try:
            self._function(decision)
        except FAILURES as error:
            raise SinkError(f"{self.name} failed: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Nothing is held."""

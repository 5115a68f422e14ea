"""Decisions as lines to read."""

from __future__ import annotations

import io

from rich.console import Console
from rich.text import Text

from pintsize.errors import SinkError
from pintsize.stream.decision import Decision


class ConsoleSink:
    """Prints each decision: time, kind, value, slots, confidence; without a value the reason."""

    name = "console"
    leaves_device = False
    waits = False

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        self._drawn = (
            io.StringIO()
        )  # drawn apart: rich itself would end the program when nobody reads any more
        self._drawing = Console(
            file=self._drawn,
            force_terminal=self._console.is_terminal,
            color_system="auto" if self._console.color_system else None,
            width=self._console.width,
        )

    def send(self, decision: Decision, number: int) -> None:
        self._drawing.print(line(decision), soft_wrap=True)
        text = self._drawn.getvalue()
        self._drawn.seek(0)
        self._drawn.truncate()
        try:
            self._console.file.write(text)
            self._console.file.flush()
        except OSError as error:
            raise SinkError(f"the console cannot be written: {error.strerror or error}") from error

    def close(self) -> None:
        """Nothing is held."""


def line(decision: Decision) -> Text:
    """One line; nothing in it is taken for markup."""
    text = Text(f"{decision.time_s:9.2f} s  ")
    text.append(f"{decision.kind:<13} ", style="dim")
    if decision.value is None:
        text.append("none", style="yellow")
    else:
        value = f"{decision.value:g}" if isinstance(decision.value, float) else str(decision.value)
        text.append(value, style="bold green")
    for name, value in decision.slots:
        text.append(f"  {name}=", style="dim").append(value)
    if decision.confidence is not None:
        text.append(f"  {100 * decision.confidence:.0f} %", style="dim")
    if decision.reason:
        text.append(f"  ({decision.reason})", style="dim")
    return text

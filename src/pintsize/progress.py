"""What long work tells whoever watches: the command line draws it, a library user may ignore it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pintsize.compress.search import Trial
    from pintsize.verify import CoreCheck, Skipped


class Watcher:
    """Hears of every step and does nothing. Override what you want to know."""

    def stage(self, title: str) -> None:
        """A new part of the work begins."""

    def step(self, what: str, done: int, total: int, loss: float | None = None) -> None:
        """`done` of `total` steps of something; with the mean loss when it is training."""

    def trial(self, trial: Trial) -> None:
        """A candidate was measured, or trained and judged."""

    def core(self, check: CoreCheck | Skipped) -> None:
        """A core ran the program, or could not."""

    def note(self, text: str) -> None:
        """Something the user should know."""

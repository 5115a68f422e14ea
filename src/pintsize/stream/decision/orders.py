"""From a stream of words to orders: whole ones only, and never waiting for ever."""

from __future__ import annotations

from dataclasses import dataclass

from pintsize.stream.decision.decision import Decision
from pintsize.stream.decision.grammar import Grammar, Thread, refusal
from pintsize.stream.decision.pattern import words_of
from pintsize.stream.decision.stage import SourceTime, passed, require_positive


@dataclass(frozen=True)
class Listening:
    """pause_s: silence of that length ends an order; timeout_s: the hard limit from its first word.

    fillers: words that may stand anywhere and mean nothing ("please", "um")
    """

    pause_s: float = 1.0
    timeout_s: float = 8.0
    fillers: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        require_positive("orders", pause_s=self.pause_s, timeout_s=self.timeout_s)


class OrderMatcher:
    """Says "order" with intent and slots once a sentence of the grammar is whole; else "misunderstood" and why.

    A sentence that could still go on ("make me a coffee … with milk") waits for the pause, so no half of it is acted
    on; one that cannot is told at once.
    """

    def __init__(self, grammar: Grammar, rule: Listening | None = None) -> None:
        self.grammar, self.rule = grammar, rule or Listening()
        self._time = SourceTime()
        self._clear()

    @property
    def idle(self) -> bool:
        return not self._heard

    @property
    def timeout_s(self) -> float:
        return self.rule.timeout_s

    def update(self, time_s: float, value: str | None) -> Decision | None:
        """value: a word, or a phrase recognised as one; None or "" while time passes without any.

        A stray word right after an order that is told in this step is not told as misunderstood.
        """
        back = self._time.advance(time_s)
        told = self.reset(back) if back else self._overdue(time_s) or self._certain(time_s)
        words = words_of(value or "")
        misfit = self._hear(time_s, words) if words else None
        return told or misfit or self._certain(time_s)

    def finish(self, time_s: float) -> Decision | None:
        """The phrase is over, as an endpointer says: what was heard is an order now, or it is none."""
        self._time.advance(time_s)
        return self._close(time_s) if self._heard else None

    def reset(self, reason: str) -> Decision | None:
        heard, start_s = list(self._heard), self._start_s
        self._clear()
        if not heard:
            return None
        told = f"the order {' '.join(heard)!r} was cut short: {reason}"
        return Decision(self._time.told_s, "lost", None, reason=told, start_s=start_s)

    def _clear(self) -> None:
        self._threads: tuple[Thread, ...] = self.grammar.start()
        self._heard: list[str] = []
        self._start_s = self._last_s = 0.0

    def _overdue(self, time_s: float) -> Decision | None:
        if not self._heard:
            return None
        paused = passed(self.rule.pause_s, self._last_s, time_s)
        return self._close(time_s) if paused or passed(self.rule.timeout_s, self._start_s, time_s) else None

    def _certain(self, time_s: float) -> Decision | None:
        """Decides at once where no further word could change the order."""
        return self._close(time_s) if self._heard and not self.grammar.expected(self._threads) else None

    def _hear(self, time_s: float, words: tuple[str, ...]) -> Decision | None:
        if self._take(time_s, words) or self.rule.fillers.issuperset(words):
            return None
        told = self._refuse(time_s, refusal(self._heard, " ".join(words), self._next()))
        self._take(time_s, words)  # it may be the first of a new order
        return told

    def _take(self, time_s: float, words: tuple[str, ...]) -> bool:
        """All of the words, or none."""
        threads = self._threads
        for word in words:
            threads = self.grammar.step(threads, word)
        if not threads:
            return False
        if not self._heard:
            self._start_s = time_s
        self._threads, self._last_s = threads, time_s
        self._heard += words
        return True

    def _next(self) -> tuple[str, ...]:
        return self.grammar.expected(self._threads)

    def _close(self, time_s: float) -> Decision:
        found = self.grammar.order(self._threads)
        if found is None:
            return self._refuse(time_s, refusal(self._heard, None, self._next()))
        start_s = self._start_s
        self._clear()
        return Decision(time_s, "order", found.intent, start_s=start_s, slots=found.slots)

    def _refuse(self, time_s: float, reason: str) -> Decision:
        start_s = self._start_s if self._heard else time_s
        self._clear()
        return Decision(time_s, "misunderstood", None, reason=reason, start_s=start_s)

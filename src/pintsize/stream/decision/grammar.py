"""A closed grammar: the orders that are understood, as an automaton that takes one word at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pintsize.errors import UserError
from pintsize.stream.decision import pattern as written
from pintsize.stream.decision.pattern import Choice, Part, Slot, Word, read_pattern, words_of

Slots = tuple[tuple[str, str], ...]

_WORDS_NAMED = 8
_START = 0


@dataclass(frozen=True)
class Order:
    """What was understood: the intent, and (name, value) of its slots in the order said."""

    intent: str
    slots: Slots = ()


@dataclass(frozen=True)
class Thread:
    """One way to read the words so far: the place in the automaton, and the slots that it filled."""

    place: int
    slots: Slots = ()


@dataclass
class _Place:
    """after: word → places, in the order written; silent: places that no word leads to, with the slot they fill."""

    after: dict[str, list[int]] = field(default_factory=dict)
    silent: list[tuple[int, tuple[str, str] | None]] = field(default_factory=list)
    intent: str | None = None


class Grammar:
    """Sentences of each intent, and the phrases of each type of slot.

    Args:
        intents: intent → its sentences, written as `decision/pattern.py` says.
        slots: type of slot → value → the phrases that mean it (or only the values, which then are their own phrase).

    Two readings of the same words: the one that stands first is taken. Raises UserError for what cannot be read.
    """

    def __init__(
        self,
        intents: Mapping[str, Sequence[str]],
        slots: Mapping[str, Mapping[str, Iterable[str]] | Sequence[str]] | None = None,
    ) -> None:
        self._slots = {kind: _phrases(kind, values) for kind, values in (slots or {}).items()}
        self._places = [_Place()]
        for intent, sentences in intents.items():
            for sentence in sentences:
                self._add(intent, sentence)
        if len(self._places) == 1:
            raise UserError("a grammar without a sentence understands nothing")

    @property
    def words(self) -> frozenset[str]:
        """Every word that occurs in it."""
        return frozenset(word for place in self._places for word in place.after)

    def start(self) -> tuple[Thread, ...]:
        return self._settled([Thread(_START)])

    def step(self, threads: Sequence[Thread], word: str) -> tuple[Thread, ...]:
        """The readings after one more word; none when no sentence goes on like that."""
        return self._settled(
            [Thread(p, t.slots) for t in threads for p in self._places[t.place].after.get(word, ())]
        )

    def order(self, threads: Sequence[Thread]) -> Order | None:
        """The order, if the words so far are a whole sentence."""
        for thread in threads:
            intent = self._places[thread.place].intent
            if intent is not None:
                return Order(intent, thread.slots)
        return None

    def expected(self, threads: Sequence[Thread]) -> tuple[str, ...]:
        """The words that may come next, sorted."""
        return tuple(sorted({word for t in threads for word in self._places[t.place].after}))

    def parse(self, text: str) -> Order | str:
        """A whole sentence: its order, or why there is none."""
        threads, heard = self.start(), []
        for word in words_of(text):
            after = self.step(threads, word)
            if not after:
                return refusal(heard, word, self.expected(threads))
            threads = after
            heard.append(word)
        return self.order(threads) or refusal(heard, None, self.expected(threads))

    def _settled(self, threads: Iterable[Thread]) -> tuple[Thread, ...]:
        """With the places that need no further word, first readings first, each once."""
        found: dict[Thread, None] = {}
        waiting = list(threads)[::-1]
        while waiting:
            thread = waiting.pop()
            if thread in found:
                continue
            found[thread] = None
            for place, filled in reversed(self._places[thread.place].silent):
                waiting.append(Thread(place, _filled(thread.slots, filled) if filled else thread.slots))
        return tuple(found)

    def _add(self, intent: str, sentence: str) -> None:
        end = self._part(read_pattern(sentence), _START, sentence)
        if any(self._places[t.place].intent or t.place == end for t in self.start()):
            raise UserError(f"grammar {sentence!r} of {intent!r}: no word is needed for it")
        self._places[end].intent = intent

    def _new(self) -> int:
        self._places.append(_Place())
        return len(self._places) - 1

    def _skip(self, start: int, end: int, filled: tuple[str, str] | None = None) -> None:
        self._places[start].silent.append((end, filled))

    def _word(self, start: int, word: str) -> int:
        end = self._new()
        self._places[start].after.setdefault(word, []).append(end)
        return end

    def _part(self, part: Part, start: int, sentence: str) -> int:
        """Adds the part after `start`; gives the place behind it."""
        if isinstance(part, Word):
            return self._word(start, part.text)
        if isinstance(part, Slot):
            return self._slot(part, start, sentence)
        if isinstance(part, Choice):
            return self._choice(part, start, sentence)
        return self._sequence(part, start, sentence)

    def _sequence(self, part: written.Sequence, start: int, sentence: str) -> int:
        at = self._new()  # a place of its own: what is optional here must not lead back to others
        self._skip(start, at)
        for inner in part.parts:
            at = self._part(inner, at, sentence)
        return at

    def _choice(self, part: Choice, start: int, sentence: str) -> int:
        end = self._new()
        for option in part.options:
            self._skip(self._part(option, start, sentence), end)
        if part.optional:
            self._skip(start, end)
        return end

    def _slot(self, part: Slot, start: int, sentence: str) -> int:
        if part.kind not in self._slots:
            raise UserError(
                f"grammar {sentence!r}: no slot type {part.kind!r}; there are {list(self._slots)}"
            )
        end = self._new()
        for value, phrase in self._slots[part.kind]:
            at = start
            for word in phrase:
                at = self._word(at, word)
            self._skip(at, end, (part.name, value))
        return end


def _filled(slots: Slots, filled: tuple[str, str]) -> Slots:
    """A slot that is said again means what was said last."""
    return (*(slot for slot in slots if slot[0] != filled[0]), filled)


def refusal(heard: Sequence[str], word: str | None, expected: Sequence[str]) -> str:
    """Why the words are no order: word is the one that did not fit, None where they broke off."""
    named = ", ".join(expected[:_WORDS_NAMED]) + (", …" if len(expected) > _WORDS_NAMED else "")
    after = f"after {' '.join(heard)!r}" if heard else "at the beginning"
    said = "nothing more was heard" if word is None else f"{word!r} does not fit"
    return f"{after} {said}; expected: {named or 'the end'}"


def _phrases(
    kind: str, values: Mapping[str, Iterable[str]] | Sequence[str]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    pairs = values.items() if isinstance(values, Mapping) else [(v.strip(), (v,)) for v in values]
    found = tuple((value, words_of(phrase)) for value, phrases in pairs for phrase in phrases)
    empty = [value for value, phrase in found if not phrase]
    if empty or not found:
        raise UserError(f"slot type {kind!r}: {empty or 'it'} has no words")
    return found

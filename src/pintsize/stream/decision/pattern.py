"""How the sentences of a closed grammar are written, and what they are read into.

make [me | us] (a) {size} {drink} (with {milkAmount:milk})

word          this word
[a | b c]     one of these
(a | b)       one of these, or nothing
{drink}       a phrase of the slot type `drink`; its value goes into the slot of the same name
{drink:first} the same, into the slot `first`
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pintsize.errors import UserError

_TOKEN = re.compile(r"\s*(?:([\[\](){}|:])|([^\s\[\](){}|:]+))")
_CLOSING = {"[": "]", "(": ")"}
MOST_DEEP = 20


@dataclass(frozen=True)
class Word:
    text: str


@dataclass(frozen=True)
class Slot:
    kind: str
    name: str


@dataclass(frozen=True)
class Sequence:
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Choice:
    options: tuple[Sequence, ...]
    optional: bool


Part = Word | Slot | Sequence | Choice


def words_of(text: str) -> tuple[str, ...]:
    """Lower case, split at white space, without the punctuation around words: how orders and grammars are compared."""
    return tuple(word for word in (raw.strip(".,!?;\"'").lower() for raw in text.split()) if word)


def read_pattern(text: str) -> Sequence:
    """The parts of one sentence. Raises UserError that names the place of what cannot be read."""
    tokens = _tokens(text)
    found, rest = _sequence(text, tokens, 0)
    if rest != len(tokens):
        raise UserError(f"grammar {text!r}: {tokens[rest]!r} closes nothing")
    return found


def _tokens(text: str) -> list[str]:
    return [mark or word for mark, word in _TOKEN.findall(text)]


def _sequence(text: str, tokens: list[str], at: int, depth: int = 0) -> tuple[Sequence, int]:
    if depth > MOST_DEEP:
        raise UserError(f"grammar {text[:60]!r}…: more than {MOST_DEEP} brackets in one another")
    parts: list[Part] = []
    while at < len(tokens) and tokens[at] not in "])|}":
        part, at = _part(text, tokens, at, depth)
        parts.append(part)
    return Sequence(tuple(parts)), at


def _part(text: str, tokens: list[str], at: int, depth: int) -> tuple[Part, int]:
    token = tokens[at]
    if token in _CLOSING:
        return _choice(text, tokens, at, depth)
    if token == "{":
        return _slot(text, tokens, at)
    if token == ":":
        raise UserError(f"grammar {text!r}: ':' has a meaning within {{…}} only")
    return Sequence(tuple(Word(w) for w in words_of(token))), at + 1


def _choice(text: str, tokens: list[str], at: int, depth: int) -> tuple[Part, int]:
    opening, options = tokens[at], []
    while True:
        option, at = _sequence(text, tokens, at + 1, depth + 1)
        options.append(option)
        if at >= len(tokens):
            raise UserError(f"grammar {text!r}: {opening!r} is not closed")
        if tokens[at] != "|":
            break
    if tokens[at] != _CLOSING[opening]:
        raise UserError(f"grammar {text!r}: {opening!r} is closed by {tokens[at]!r}")
    return Choice(tuple(options), opening == "("), at + 1


def _slot(text: str, tokens: list[str], at: int) -> tuple[Part, int]:
    inside = tokens[at + 1 : at + 5]
    if len(inside) > 1 and inside[1] == "}":
        return Slot(inside[0], inside[0]), at + 3
    if len(inside) > 3 and inside[1] == ":" and inside[3] == "}":
        return Slot(inside[0], inside[2]), at + 5
    raise UserError(f"grammar {text!r}: a slot is written {{type}} or {{type:name}}")

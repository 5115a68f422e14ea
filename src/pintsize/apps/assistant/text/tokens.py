"""Words of a text, with the places where they stand.

A token is a run of letters, one digit, or one other character that is no space. Letters and digits are those of
Unicode.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"[^\W\d_]+|\d|[^\w\s]|_")
_APOSTROPHES = str.maketrans("", "", "'’")
#: of a longer text the rest is not looked at: no order is that long
MOST_CHARACTERS = 1000
#: of a longer run of letters the rest is not looked at
MOST_LETTERS = 32


@dataclass(frozen=True)
class Token:
    """text: as it was written, at most 32 characters; start, end: where it stands, end excluded."""

    text: str
    start: int
    end: int


def tokens(text: str, most: int) -> list[Token]:
    """The first `most` tokens of the first 1000 characters."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text[:MOST_CHARACTERS]):
        if len(found) == most:
            break
        found.append(Token(match.group()[:MOST_LETTERS], match.start(), match.end()))
    return found


def without_apostrophes(text: str) -> str:
    """what's → whats, as many people type it."""
    return text[:MOST_CHARACTERS].translate(_APOSTROPHES)

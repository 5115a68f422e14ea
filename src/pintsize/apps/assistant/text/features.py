"""Tokens as numbers of a table's rows, by hashes alone: there is no list of words to keep, and no word is unknown.

A token has up to `per_token` ids. Each is 1 + FNV-1a(seed, UTF-8 bytes of a piece) mod (rows - 1); id 0 is
nothing, its row of the table is zero. The network adds up the rows of a token. Pieces, of the token in small
letters between < and >:

    seed   piece
    77, 0  the whole token, twice, so that no two words are likely to share both
    5      with `case` set: A (all capital letters), Aa (the first one), a, 9 (digit) or . (other)
    9      with `affixes` set: p + the first 1 … 3 letters, s + the last 1 … 4
    n      all runs of n characters, for n in `runs`, but not the whole

Source: Fowler, Noll, Vo, FNV-1a, 32 bits, here with the seed in its offset and its high half folded in at the end;
Bojanowski et al., "Enriching Word Vectors with Subword Information", 2017.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.assistant.text.tokens import Token, tokens, without_apostrophes
from pintsize.errors import UserError

_OFFSET, _PRIME, _MASK = 2166136261, 16777619, 0xFFFFFFFF
_WHOLE, _CASE, _AFFIX = (0, 77), 5, 9
#: where the ids of the whole token stand, which training hides so that the others learn too
_PREFIXES, _SUFFIXES = (1, 2, 3), (1, 2, 3, 4)
#: remembered tokens; beyond it they are computed again
_MOST_REMEMBERED = 50_000


def fnv(piece: str, seed: int) -> int:
    """The hash of a piece, below 2^32."""
    value = _OFFSET ^ seed
    for byte in piece.encode("utf-8", "surrogatepass"):
        value = ((value ^ byte) * _PRIME) & _MASK
    return value ^ (value >> 15)


@dataclass(frozen=True)
class Features:
    """How a text becomes ids (tokens, per_token). Raises UserError for sizes that mean nothing."""

    rows: int
    tokens: int
    per_token: int
    runs: tuple[int, ...]
    case: bool
    affixes: bool
    apostrophes: bool
    _known: dict[str, tuple[int, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 2 <= self.rows <= 1 << 15 or self.tokens < 1 or self.per_token < 3:
            raise UserError(
                f"{self.rows} rows, {self.tokens} tokens, {self.per_token} ids each: 2 to 32768, 1 and 3 at least"
            )

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Features:
        """From what `facts` wrote. Raises UserError for anything else."""
        try:
            return cls(**{**facts, "runs": tuple(facts["runs"])})
        except (KeyError, TypeError) as error:
            raise UserError(f"features {dict(facts)}: {error}") from error

    @property
    def facts(self) -> dict[str, Any]:
        """For a manifest."""
        return {name: value for name, value in asdict(self).items() if not name.startswith("_")}

    @property
    def hidden(self) -> slice:
        """The ids that stand for the whole token."""
        return slice(0, len(_WHOLE))

    def split(self, text: str) -> list[Token]:
        """The tokens that the model sees."""
        return tokens(text if self.apostrophes else without_apostrophes(text), self.tokens)

    def ids(self, found: Sequence[Token]) -> NDArray[np.int16]:
        """(tokens, per_token), filled up with 0."""
        made = np.zeros((self.tokens, self.per_token), np.int16)
        for place, token in enumerate(found[: self.tokens]):
            own = self.of_token(token.text)
            made[place, : len(own)] = own
        return made

    def of_token(self, text: str) -> tuple[int, ...]:
        """The ids of one token."""
        if text not in self._known:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            made = [1 + fnv(piece, seed) % (self.rows - 1) for piece, seed in self._pieces(text)]
            self._known[text] = tuple(made[: self.per_token])
        return self._known[text]

    def _pieces(self, text: str) -> Iterator[tuple[str, int]]:
        small = text.lower()
        whole = f"<{small}>"
        yield from ((whole, seed) for seed in _WHOLE)
        if self.case:
            yield "^" + _case(text), _CASE
        if self.affixes:
            yield from (("p" + small[:n], _AFFIX) for n in _PREFIXES)
            yield from (("s" + small[-n:], _AFFIX) for n in _SUFFIXES)
        for n in self.runs:
            for start in range(len(whole) - n + 1):
                if n < len(whole):
                    yield whole[start : start + n], n


def _case(text: str) -> str:
    if text.isupper() and len(text) > 1:
        return "A"
    first = text[0]
    return "Aa" if first.isupper() else "9" if first.isdigit() else "a" if first.isalpha() else "."

"""Slots as tags of tokens (B: begins here, I: goes on, O: none), and tags as slots.

Tag 0 is O; slot i has the tags 1 + 2 i (B) and 2 + 2 i (I). Decoding finds the likeliest legal row of tags: I
stands only behind B or I of its own slot (Viterbi).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.assistant.text.tokens import Token

_NEVER = -1e9


@dataclass(frozen=True, order=True)
class Span:
    """A slot's name and the characters that fill it, end excluded."""

    start: int
    end: int
    name: str


def tag_count(names: Sequence[str]) -> int:
    return 1 + 2 * len(names)


def tags_of(spans: Sequence[Span], found: Sequence[Token], names: Sequence[str]) -> list[int]:
    """One tag per token; a token belongs to the span that it overlaps."""
    tags = [0] * len(found)
    for span in spans:
        inside = [i for i, token in enumerate(found) if token.start < span.end and token.end > span.start]
        for order, i in enumerate(inside):
            tags[i] = 2 * names.index(span.name) + (2 if order else 1)
    return tags


def spans_of(tags: Sequence[int], found: Sequence[Token], names: Sequence[str]) -> list[Span]:
    """The spans of a legal row of tags."""
    spans: list[Span] = []
    for tag, token in zip(tags, found, strict=True):
        if tag % 2:
            spans.append(Span(token.start, token.end, names[tag // 2]))
        elif tag:
            spans[-1] = Span(spans[-1].start, token.end, spans[-1].name)
    return spans


def likeliest(scores: NDArray[np.float64]) -> list[int]:
    """scores: (tokens, tags), logarithms of probabilities up to a constant per token. Gives a legal row of tags."""
    if not len(scores):
        return []
    count = scores.shape[1]
    inside = np.arange(2, count, 2)
    allowed = np.zeros((count, count))
    allowed[:, inside] = _NEVER
    allowed[inside, inside] = 0.0
    allowed[inside - 1, inside] = 0.0
    best = scores[0].astype(np.float64).copy()
    best[inside] = _NEVER
    came_from: list[NDArray[np.int64]] = []
    for row in scores[1:]:
        through = best[:, None] + allowed
        came_from.append(through.argmax(0))
        best = through.max(0) + row
    tags = [int(best.argmax())]
    for back in reversed(came_from):
        tags.append(int(back[tags[-1]]))
    return tags[::-1]


def f1(found: Sequence[Sequence[Span]], right: Sequence[Sequence[Span]]) -> float:
    """Of exact spans, over all sentences together, as CoNLL counts. Source: Tjong Kim Sang, Buchholz, 2000."""
    hits = sum(len(set(a) & set(b)) for a, b in zip(found, right, strict=True))
    total = sum(len(set(a)) + len(set(b)) for a, b in zip(found, right, strict=True))
    return 2 * hits / total if total else 1.0

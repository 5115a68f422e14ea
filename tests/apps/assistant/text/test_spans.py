from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pintsize.apps.assistant.text.spans import Span, f1, likeliest, spans_of, tag_count, tags_of
from pintsize.apps.assistant.text.tokens import tokens

NAMES = ("city", "time")
TEXT = "to New York at noon"
SPANS = [Span(3, 11, "city"), Span(15, 19, "time")]


def test_tags_and_spans_are_the_same_thing() -> None:
    found = tokens(TEXT, 8)
    assert tags_of(SPANS, found, NAMES) == [0, 1, 2, 0, 3]
    assert spans_of([0, 1, 2, 0, 3], found, NAMES) == SPANS


def test_neighbouring_spans_of_one_slot_stay_apart() -> None:
    found = tokens("Rome Paris", 8)
    assert spans_of([1, 1], found, NAMES) == [Span(0, 4, "city"), Span(5, 10, "city")]


def test_an_inside_without_a_beginning_is_never_chosen() -> None:
    scores = np.zeros((2, tag_count(NAMES)))
    scores[0, 2] = scores[1, 4] = 9.0  # I-city at once, then I-time behind it
    scores[0, 3] = 1.0
    assert likeliest(scores) == [3, 4]


@given(st.integers(0, 6), st.integers(0, 2**32 - 1))
def test_every_row_of_tags_is_legal(count: int, seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(count, tag_count(NAMES))) * 5
    tags = likeliest(scores)
    assert len(tags) == count
    for before, tag in zip([0, *tags], tags, strict=False):
        assert tag % 2 or tag == 0 or before in (tag, tag - 1)


def test_f1_counts_exact_spans() -> None:
    assert f1([SPANS], [SPANS]) == 1.0
    assert f1([[SPANS[0], Span(15, 18, "time")]], [SPANS]) == 0.5
    assert f1([[]], [[]]) == 1.0

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pintsize.apps.assistant.text.features import Features, fnv
from pintsize.apps.assistant.text.tokens import tokens
from pintsize.errors import UserError

SMALL = Features(1000, 8, 16, (3, 4), case=False, affixes=False, apostrophes=False)
CASED = Features(1000, 8, 16, (3,), case=True, affixes=True, apostrophes=True)


def test_tokens_stand_where_they_were_found() -> None:
    text = "Set 21° in Zoë's room!"
    found = tokens(text, 20)
    assert [t.text for t in found] == ["Set", "2", "1", "°", "in", "Zoë", "'", "s", "room", "!"]
    assert [text[t.start : t.end] for t in found] == [t.text for t in found]


def test_apostrophes_are_left_out_where_places_do_not_matter() -> None:
    assert [t.text for t in SMALL.split("what's up")] == ["whats", "up"]
    assert [t.text for t in CASED.split("what's up")] == ["what", "'", "s", "up"]


def test_the_hash_is_fnv_1a() -> None:
    """Published values, with the high half folded in."""
    for piece, published in (("a", 0xE40C292C), ("foobar", 0xBF9CF968)):
        assert fnv(piece, 0) == published ^ (published >> 15)


def test_a_word_of_capitals_differs_by_its_case_alone() -> None:
    assert SMALL.of_token("LAMP") == SMALL.of_token("lamp")
    different = [a != b for a, b in zip(CASED.of_token("LAMP"), CASED.of_token("lamp"), strict=True)]
    assert sum(different) == 1
    assert different[2]


def test_words_with_common_parts_share_ids() -> None:
    assert set(SMALL.of_token("lights")) & set(SMALL.of_token("light"))
    assert SMALL.of_token("lights")[SMALL.hidden] != SMALL.of_token("light")[SMALL.hidden]


@given(st.text(max_size=60))
def test_any_text_gives_ids_of_the_table(text: str) -> None:
    for features in (SMALL, CASED):
        found = features.split(text)
        ids = features.ids(found)
        assert ids.shape == (8, 16)
        assert ids.dtype == np.int16
        assert ids.min() >= 0
        assert ids.max() < features.rows
        assert (ids[:, 0] > 0).sum() == len(found) <= 8


def test_a_long_text_is_cut() -> None:
    assert len(SMALL.split("light " * 10_000)) == 8
    assert [len(t.text) for t in SMALL.split("a" * 10_000)] == [32]


def test_facts_are_read_back() -> None:
    assert Features.of(CASED.facts) == CASED
    with pytest.raises(UserError, match="features"):
        Features.of({"rows": 5})
    with pytest.raises(UserError, match="2 to 32768"):
        Features(1, 8, 16, (3,), case=False, affixes=False, apostrophes=False)

"""Charts as pictures that need no script."""

from __future__ import annotations

import sys

import pytest

from pintsize.errors import MissingExtra
from pintsize.report.document import document
from pintsize.report.drawing import picture, require_drawing
from pintsize.report.markup import tag

alt = pytest.importorskip("altair", reason="altair is not installed (extra report)")


def chart() -> object:
    values = alt.Data(values=[{"x": 0, "y": 1}, {"x": 1, "y": 3}])
    return alt.Chart(values).mark_line(color="var(--accent)").encode(x="x:Q", y="y:Q")


def test_a_picture_is_drawn_the_same_and_told_in_words() -> None:
    drawn = picture(chart(), "Two <points>")  # pyright: ignore[reportArgumentType]
    assert drawn == picture(chart(), "Two <points>")  # pyright: ignore[reportArgumentType]
    assert drawn.count("<svg") == 1
    assert 'stroke="var(--accent)"' in drawn
    assert "Two &lt;points&gt;" in drawn
    assert "<points>" not in drawn


def test_a_document_holds_what_it_is_given_and_loads_nothing() -> None:
    page = document("A & B", tag("p", "<hello>"))
    assert page.startswith("<!doctype html>")
    assert "<title>A &amp; B</title>" in page
    assert "&lt;hello&gt;" in page
    assert "default-src &#x27;none&#x27;" in page
    assert "http://" not in page
    assert "https://" not in page


@pytest.mark.parametrize("module", ["altair", "vl_convert"])
def test_what_is_missing_is_named(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=r"pintsize\[report\]"):
        require_drawing()

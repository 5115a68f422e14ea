"""Text is escaped once; markup is left as it is."""

from __future__ import annotations

from pintsize.report.markup import join, table, tag


def test_text_is_escaped_and_elements_nest() -> None:
    inner = tag("b", "a < b & c")
    assert tag("p", inner, ' "d"') == "<p><b>a &lt; b &amp; c</b> &quot;d&quot;</p>"


def test_attributes() -> None:
    assert tag("td", "x", class_='n"1', http_equiv=None) == '<td class="n&quot;1">x</td>'
    assert tag("meta", http_equiv="a") == '<meta http-equiv="a">'


def test_joined_parts_stay_markup() -> None:
    assert tag("i", join(["<", tag("b", ">")])) == "<i>&lt;<b>&gt;</b></i>"


def test_number_columns_are_marked_in_head_and_body() -> None:
    assert table([("name", False), ("bytes", True)], [["a", "1"]]).count('class="number"') == 2

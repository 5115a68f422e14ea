"""HTML in which text is always escaped: only a `Markup` goes in as it is."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


class Markup(str):
    """A string that is HTML already."""

    __slots__ = ()


EMPTY = Markup("")
_WITHOUT_END = frozenset({"br", "col", "meta"})


def tag(name: str, *children: str, **attributes: str | None) -> Markup:
    """An element. ``class_`` sets the class; an attribute that is None is left out."""
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    end = "" if name in _WITHOUT_END else f"</{name}>"
    return Markup(f"<{name}{words}>{join(children)}{end}")


def join(parts: Iterable[str]) -> Markup:
    """The parts one after the other."""
    return Markup("".join(p if isinstance(p, Markup) else escape(p) for p in parts))


def table(heads: Iterable[tuple[str, bool]], rows: Iterable[Iterable[str]]) -> Markup:
    """A table that scrolls sideways where the page is narrow; heads are (title, holds numbers)."""
    columns = list(heads)
    head = tag("tr", *(tag("th", text, class_=_side(right), scope="col") for text, right in columns))
    body = (
        tag(
            "tr",
            *(tag("td", cell, class_=_side(right)) for cell, (_, right) in zip(row, columns, strict=True)),
        )
        for row in rows
    )
    return tag("div", tag("table", tag("thead", head), tag("tbody", *body)), class_="scroll", tabindex="0")


def _side(right: bool) -> str | None:
    return "number" if right else None

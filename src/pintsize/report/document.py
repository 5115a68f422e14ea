"""One HTML file that needs nothing else: no network, no fonts, no other files."""

from __future__ import annotations

from importlib.resources import files

from pintsize.report.markup import EMPTY, Markup, join, tag

#: the browser itself refuses to load anything from elsewhere; Vega compiles its expressions with eval
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:"
)


def document(title: str, *body: Markup, script: Markup = EMPTY) -> str:
    """The page of that title, in pintsize's style. script: what draws after the body is there."""
    main = tag("body", tag("main", join(body)), script)
    return f"<!doctype html>\n{tag('html', _head(title), main, lang='en')}\n"


def _head(title: str) -> Markup:
    style = files("pintsize.report").joinpath("page.css").read_text(encoding="utf-8")
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(style)),
    )

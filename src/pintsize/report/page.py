"""The report as one HTML file that needs nothing else: no network, no fonts, no other files."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from pintsize.errors import MissingExtra
from pintsize.report import sections
from pintsize.report.markup import Markup, tag

#: import name → the package that brings it
DRAWN_BY = {"altair": "altair", "vl_convert": "vl-convert-python"}

#: the browser itself refuses to load anything from elsewhere; Vega compiles its expressions with eval
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:"
)


def html(report: Mapping[str, Any]) -> str:
    """The page for one report. The same report gives the same bytes.

    `report` is a `schema.Report`. Raises MissingExtra when Altair is not installed.
    """
    try:
        from pintsize.report import charts
    except ModuleNotFoundError as missing:
        if missing.name not in DRAWN_BY:
            raise
        raise MissingExtra(DRAWN_BY[missing.name], "report") from missing
    specs = charts.specifications(report)
    body = tag("main", *sections.page(report, frozenset(specs)))
    document = tag("html", _head(report), tag("body", body, charts.scripts(specs)), lang="en")
    return f"<!doctype html>\n{document}\n"


def _head(report: Mapping[str, Any]) -> Markup:
    style = files("pintsize.report").joinpath("page.css").read_text(encoding="utf-8")
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("title", f"{report['name']} on {report['device']['title']}"),
        tag("style", Markup(style)),
    )

"""Altair charts as pictures inside a page: drawn once, here, so that they print and need no script."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pintsize.errors import MissingExtra
from pintsize.report.markup import Markup, tag

if TYPE_CHECKING:
    import altair as alt

#: import name → the package that brings it
DRAWN_BY = {"altair": "altair", "vl_convert": "vl-convert-python"}

#: colours are the page's own CSS variables, so a chart follows light and dark by itself
CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--quiet)",
        "titleColor": "var(--quiet)",
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titlePadding": 10,
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
    },
    "legend": {"labelColor": "var(--ink)", "titleColor": "var(--quiet)", "labelFontSize": 12},
}


def require_drawing() -> None:
    """Raises MissingExtra where charts cannot be drawn. Call it before what imports altair."""
    for module, package in DRAWN_BY.items():
        if find_spec(module) is None:
            raise MissingExtra(package, "report")


def picture(chart: alt.TopLevelMixin, told: str) -> Markup:
    """The chart as SVG inside a figure; told: what it shows, for who cannot see it and below it.

    The same chart gives the same bytes.
    """
    import vl_convert

    svg = vl_convert.vegalite_to_svg({**chart.to_dict(), "config": CONFIG})
    return tag("figure", Markup(svg), tag("figcaption", told, class_="note"), role="group", aria_label=told)

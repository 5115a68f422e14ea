"""Altair charts inside one HTML file: the drawing code once, then one specification per chart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import altair as alt
import vl_convert

from pintsize.report import accuracy_against_flash, memory_over_time, trade_off
from pintsize.report.drawing import CONFIG
from pintsize.report.markup import Markup

#: id of the element on the page → what draws it
CHARTS = {
    "accuracy-against-flash": accuracy_against_flash.chart,
    "memory-over-time": memory_over_time.chart,
    "trade-off": trade_off.chart,
}


def specifications(report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Vega-Lite specifications by element id; a chart with nothing to show is left out."""
    drawn = {element: draw(report) for element, draw in CHARTS.items()}
    return {element: _specification(chart) for element, chart in drawn.items() if chart is not None}


def scripts(specs: Mapping[str, Mapping[str, Any]]) -> Markup:
    """The script elements that draw `specs`, with Vega inside; nothing is loaded from elsewhere."""
    # "<" as an escape: a name that holds "</script>" must not end the element
    data = json.dumps(specs, sort_keys=True, ensure_ascii=True).replace("<", "\\u003c")
    draw = (
        f"const charts = {data};\n"
        "const options = {mode: 'vega-lite', renderer: 'svg', actions: false};\n"
        "for (const [id, spec] of Object.entries(charts)) {\n"
        "  vegaEmbed('#' + id, spec, options).catch((problem) => {\n"
        "    document.getElementById(id).textContent = 'This chart could not be drawn: ' + problem;\n"
        "  });\n"
        "}"
    )
    return Markup(f"<script>{_vega()}</script>\n<script>\n{draw}\n</script>")


def _specification(chart: alt.TopLevelMixin) -> dict[str, Any]:
    return {**chart.to_dict(), "config": CONFIG}


@cache
def _vega() -> str:
    """vega, vega-lite and vega-embed as one script."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").replace("</script", "<\\/script")

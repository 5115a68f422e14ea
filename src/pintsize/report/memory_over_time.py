"""The arena as a picture: a rectangle per buffer, over the steps in which it is alive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import altair as alt

from pintsize.report import figures

HEIGHT = 380
#: with more steps than this, names that would overlap are left out
EVERY_STEP_NAMED = 24
#: buffers take these in turn; a hue that comes back is told apart by name and place
COLOURS = [f"var(--hue-{i})" for i in range(8)]


def chart(report: Mapping[str, Any]) -> alt.TopLevelMixin | None:
    """The picture, or None when the arena is empty."""
    memory = report["memory"]
    if not memory["buffers"] or not memory["steps"]:
        return None
    rows = alt.Data(values=[_row(b, i, memory["steps"]) for i, b in enumerate(memory["buffers"])])
    layers = [_rectangles(rows, memory["steps"]), _names(rows), *_arena(memory)]
    return alt.layer(*layers).properties(width="container", height=HEIGHT)


def _row(buffer: Mapping[str, Any], index: int, steps: list[str]) -> dict[str, Any]:
    first, last = buffer["first"], buffer["last"]
    end = buffer["offset"] + buffer["bytes"]
    return {
        "name": buffer["name"],
        "hue": index % len(COLOURS),
        "start": first,
        "end": last + 1,
        "low": buffer["offset"],
        "high": end,
        "Size": figures.size(buffer["bytes"]),
        "Place": f"{buffer['offset']:,} … {end:,}",
        "Alive": steps[first] if first == last else f"{steps[first]} … {steps[last]}",
    }


def _rectangles(rows: alt.Data, steps: list[str]) -> alt.Chart:
    hues = alt.Scale(domain=list(range(len(COLOURS))), range=COLOURS)
    mark = alt.Chart(rows).mark_rect(fillOpacity=0.38, strokeWidth=1.2, strokeOpacity=1, cornerRadius=2)
    return mark.encode(
        x=alt.X(
            "start:Q", title=None, axis=_step_axis(steps), scale=alt.Scale(domain=[0, len(steps)], nice=False)
        ),
        x2="end:Q",
        y=alt.Y("low:Q", title="byte offset in the arena", axis=alt.Axis(format=",d")),
        y2="high:Q",
        fill=alt.Fill("hue:N", scale=hues, legend=None),
        stroke=alt.Stroke("hue:N", scale=hues, legend=None),
        tooltip=[alt.Tooltip(f"{f}:N") for f in ("name", "Size", "Place", "Alive")],
    )


def _step_axis(steps: list[str]) -> alt.Axis:
    return alt.Axis(
        values=[i + 0.5 for i in range(len(steps))],
        labelExpr=f"{json.dumps(steps)}[floor(datum.value)]",
        labelAngle=-40,
        labelAlign="right",
        labelLimit=130,
        labelOverlap="greedy" if len(steps) > EVERY_STEP_NAMED else False,
        grid=False,
        ticks=False,
        labelPadding=6,
    )


def _names(rows: alt.Data) -> alt.Chart:
    """Each name in the middle of its rectangle, upright where that is narrow, left out where it is flat."""
    width = "abs(scale('x', datum.end) - scale('x', datum.start)) - 6"
    height = "abs(scale('y', datum.high) - scale('y', datum.low))"
    upright = f"({width} < 90 && {height} > 90)"
    mark = alt.Chart(rows).mark_text(
        fontSize=11,
        color="var(--ink)",
        angle=alt.ExprRef(f"{upright} ? 270 : 0"),
        limit=alt.ExprRef(f"{upright} ? {height} - 6 : {width}"),
        opacity=alt.ExprRef(f"{height} < 13 || {width} < 8 || ({width} < 34 && !{upright}) ? 0 : 1"),
        tooltip=None,
    )
    middle = mark.transform_calculate(
        mid_x="(datum.start + datum.end) / 2", mid_y="(datum.low + datum.high) / 2"
    )
    return middle.encode(x="mid_x:Q", y="mid_y:Q", text="name:N")


def _arena(memory: Mapping[str, Any]) -> list[alt.Chart]:
    """The arena's height, and the lower bound where it is below: one label above, one beneath its line."""
    arena, bound = memory["arena_bytes"], memory["lower_bound_bytes"]
    marks = _line(arena, f"arena {figures.size(arena)}", "var(--accent)", above=True)
    if bound != arena:
        marks += _line(bound, f"lower bound {figures.size(bound)}", "var(--quiet)", above=False)
    return marks


def _line(height_bytes: int, words: str, colour: str, above: bool) -> list[alt.Chart]:
    base = alt.Chart(alt.Data(values=[{"high": height_bytes, "label": words}])).encode(y="high:Q")
    rule = base.mark_rule(color=colour, strokeWidth=1.5, strokeDash=[6, 4])
    label = base.mark_text(
        color=colour,
        align="right",
        baseline="bottom" if above else "top",
        dx=-4,
        dy=-4 if above else 4,
        fontSize=12,
        fontWeight="bold",
    )
    return [rule, label.encode(x=alt.value("width"), text="label:N")]

"""Every candidate as a point: what it costs in flash, how often it is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from pintsize.report import figures

#: status → (colour, shape); a candidate without an accuracy is a tick on the axis
MARKS = {
    "chosen": ("var(--accent)", "diamond"),
    "fits": ("var(--good)", "circle"),
    "too large": ("var(--bad)", "square"),
    "dropped": ("var(--quiet)", "triangle-down"),
    "not trained": ("var(--quiet)", "M-0.15,-1H0.15V1H-0.15Z"),
}
CHOSEN_NAME: dict[str, Any] = {"dy": 19, "fontWeight": "bold", "fontSize": 13, "limit": 220}
HEIGHT = 340
#: a linear axis squeezes the small candidates when the sizes differ by more than this factor
LINEAR_SPAN = 8


def chart(report: Mapping[str, Any]) -> alt.TopLevelMixin | None:
    """The picture, or None when no candidate has a known flash size."""
    rows = [_row(c) for c in report["candidates"] if c["flash_bytes"] is not None]
    if not rows:
        return None
    limit = report["budget"]["flash_bytes"]
    layers = [_points(rows, limit), _ticks(rows), *_chosen_name(rows)]
    if limit is not None:
        layers += _limit(limit)
    teacher = teacher_row(report)
    if teacher:
        layers += _teacher(teacher, report["budget"]["max_drop"])
    return alt.layer(*layers).properties(width="container", height=HEIGHT)


def teacher_row(report: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The accuracy row that candidates compare with: the validation split where there is one."""
    known = [a for a in report["accuracy"] if a["teacher"] is not None]
    named = [a for a in known if a["split"] in ("val", "validation")]
    return next(iter(named + known), None)


def _row(candidate: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": candidate["name"],
        "flash": candidate["flash_bytes"] / 1024,
        "accuracy": candidate["validation_accuracy"],
        "status": candidate["status"],
        "Flash": figures.size(candidate["flash_bytes"]),
        "RAM": figures.size(candidate["ram_bytes"]),
        "Weights": f"{figures.size(candidate['weight_bytes'])} of {candidate['bits']} bits",
        "Accuracy": figures.percent(candidate["validation_accuracy"]),
        "Why": candidate["reason"],
    }


def _data(rows: Sequence[Mapping[str, Any]]) -> alt.Data:
    return alt.Data(values=[dict(r) for r in rows])


def _x(rows: Sequence[Mapping[str, Any]], limit: int | None) -> alt.X:
    sizes = [r["flash"] for r in rows] + ([] if limit is None else [limit / 1024])
    low, high = min(sizes), max(sizes)
    if low > 0 and high / low > LINEAR_SPAN:
        scale = alt.Scale(type="log", base=2, nice=False, domain=[low / 1.25, high * 1.25])
    else:
        scale = alt.Scale(nice=False, domain=[0, high * 1.08])
    axis = alt.Axis(format=",.4~r", tickCount=6, labelOverlap="greedy")
    return alt.X("flash:Q", title="flash (kB of 1,024 bytes)", scale=scale, axis=axis)


def _y() -> alt.Y:
    scale = alt.Scale(zero=False, padding=22)
    return alt.Y("accuracy:Q", title="accuracy on validation data", scale=scale, axis=alt.Axis(format=".1%"))


def _tooltip() -> list[alt.Tooltip]:
    fields = ("name", "status", "Accuracy", "Flash", "RAM", "Weights", "Why")
    return [alt.Tooltip(f"{f}:N") for f in fields]


def _styles(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    domain = [s for s in MARKS if any(r["status"] == s for r in rows)]
    legend = alt.Legend(title=None, orient="top", symbolOpacity=1, symbolSize=90, columns=3)
    colours, shapes = ([MARKS[s][i] for s in domain] for i in (0, 1))
    return {
        "color": alt.Color("status:N", scale=alt.Scale(domain=domain, range=colours), legend=legend),
        "shape": alt.Shape("status:N", scale=alt.Scale(domain=domain, range=shapes), legend=legend),
    }


def _points(rows: Sequence[Mapping[str, Any]], limit: int | None) -> alt.Chart:
    known = [r for r in rows if r["accuracy"] is not None]
    size = alt.condition("datum.status === 'chosen'", alt.value(260), alt.value(80))
    return (
        alt.Chart(_data(known))
        .mark_point(filled=True, opacity=0.85, strokeWidth=2)
        .encode(x=_x(rows, limit), y=_y(), size=size, tooltip=_tooltip(), **_styles(rows))
    )


def _ticks(rows: Sequence[Mapping[str, Any]]) -> alt.Chart:
    unknown = [r for r in rows if r["accuracy"] is None]
    return (
        alt.Chart(_data(unknown))
        .mark_tick(orient="vertical", size=14, thickness=2, opacity=0.9)
        .encode(x="flash:Q", y=alt.value(HEIGHT - 8), color="status:N", tooltip=_tooltip())
    )


def _chosen_name(rows: Sequence[Mapping[str, Any]]) -> list[alt.Chart]:
    """The name under its point, and beneath it the same letters broad in the page's colour: a halo."""
    chosen = [r for r in rows if r["status"] == "chosen" and r["accuracy"] is not None]
    base = alt.Chart(_data(chosen)).encode(x="flash:Q", y="accuracy:Q", text="name:N")
    halo = base.mark_text(stroke="var(--card)", strokeWidth=5, **CHOSEN_NAME)
    return [halo, base.mark_text(color="var(--accent)", **CHOSEN_NAME)]


def _limit(flash_bytes: int) -> list[alt.Chart]:
    base = alt.Chart(_data([{"flash": flash_bytes / 1024, "label": f"budget {figures.size(flash_bytes)}"}]))
    rule = base.mark_rule(color="var(--bad)", strokeWidth=1.5, strokeDash=[6, 4]).encode(x="flash:Q")
    label = base.mark_text(align="right", dx=-6, baseline="bottom", angle=0, color="var(--bad)", fontSize=12)
    return [rule, label.encode(x="flash:Q", y=alt.value(HEIGHT / 2), text="label:N")]


def _teacher(row: Mapping[str, Any], max_drop: float | None) -> list[alt.Chart]:
    teacher, split = row["teacher"], row["split"]
    lines = [{"accuracy": teacher, "label": f"float teacher {figures.percent(teacher)} ({split})"}]
    if max_drop is not None:
        lines.append({"accuracy": teacher - max_drop, "label": f"teacher − {100 * max_drop:g} %"})
    base = alt.Chart(_data(lines))
    rule = base.mark_rule(color="var(--ink)", strokeWidth=1, strokeDash=[2, 3]).encode(y="accuracy:Q")
    label = base.mark_text(align="left", dx=6, baseline="bottom", dy=-3, color="var(--ink)", fontSize=12)
    return [rule, label.encode(x=alt.value(0), y="accuracy:Q", text="label:N")]

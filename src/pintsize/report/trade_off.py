"""The models of a whole trade-off, from tiny to best: a line from point to point, on validation and on test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from pintsize.report import figures

HEIGHT = 300
COLOURS = {"validation": "var(--accent)", "test": "var(--quiet)"}


def chart(report: Mapping[str, Any]) -> alt.TopLevelMixin | None:
    """The picture, or None without a trade-off."""
    members = [m for m in report.get("front", ()) if m["flash_bytes"] is not None]
    rows = [_row(m, split) for m in members for split in COLOURS if m["accuracy"].get(split) is not None]
    if not rows:
        return None
    x = alt.X("flash:Q", title="flash (kB of 1,024 bytes)", scale=_scale(rows))
    y = alt.Y(
        "accuracy:Q", title="accuracy", scale=alt.Scale(zero=False, padding=18), axis=alt.Axis(format=".1%")
    )
    domain = [s for s in COLOURS if any(r["split"] == s for r in rows)]
    colour = alt.Color(
        "split:N",
        scale=alt.Scale(domain=domain, range=[COLOURS[s] for s in domain]),
        legend=alt.Legend(title=None, orient="top"),
    )
    tips = [alt.Tooltip(f"{f}:N") for f in ("name", "split", "Accuracy", "Flash", "RAM", "Instructions")]
    base = alt.Chart(alt.Data(values=rows)).encode(x=x, y=y, color=colour)
    line = base.mark_line(strokeWidth=1.5, opacity=0.6)
    points = base.mark_point(filled=True, size=80, opacity=0.9).encode(tooltip=tips)
    return alt.layer(line, points).properties(width="container", height=HEIGHT)


def _row(member: Mapping[str, Any], split: str) -> dict[str, Any]:
    return {
        "name": member["name"],
        "split": split,
        "flash": member["flash_bytes"] / 1024,
        "accuracy": member["accuracy"][split],
        "Accuracy": figures.percent(member["accuracy"][split]),
        "Flash": figures.size(member["flash_bytes"]),
        "RAM": figures.size(member["ram_bytes"]),
        "Instructions": figures.count(member["instructions"]),
    }


def _scale(rows: Sequence[Mapping[str, Any]]) -> alt.Scale:
    sizes = [r["flash"] for r in rows]
    low, high = min(sizes), max(sizes)
    if low > 0:
        return alt.Scale(type="log", base=2, nice=False, domain=[low / 1.15, high * 1.15])
    return alt.Scale(nice=False)

"""The pictures of a day's page. Gaps are left empty: nothing is drawn where nothing was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from pintsize.apps.wearable.day import Day, Span
from pintsize.apps.wearable.opening import Clock

WIDTH = 760
#: most points of a line: more are put together
_MOST_POINTS = 720
_BINS_S = (5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
ZONE_COLOURS = ("#cfd8dc", "#b3dbe8", "#b7e0c2", "#f4e3a1", "#f3c39b", "#eda6a6")
_STAGES = ("wake", "rem", "light", "deep")
_ALERT = "#b3261e"
#: room for words, whose width is only estimated where a picture is drawn
_LABELS = alt.Axis(minExtent=96)


def bin_of(day: Day) -> float:
    """How many seconds one point of the line stands for."""
    length_s = max(day.last_s - (day.first_s or 0.0), 1.0)
    least = max(day.period_s, length_s / _MOST_POINTS)
    return next((seconds for seconds in _BINS_S if seconds >= least), max(_BINS_S[-1], least))


def heart_rate(day: Day, clock: Clock) -> alt.TopLevelMixin | None:
    """The rate with its zones; alerts below it. None where there is no rate."""
    points = _points(day, clock)
    if not points:
        return None
    low = min(p["low"] for p in points)
    high = max(p["high"] for p in points)
    bounds = [max(30.0, 5 * (low // 5) - 5), 5 * (high // 5) + 10]
    scale = alt.Scale(domain=bounds, zero=False, nice=False)
    x = alt.X("time:T", title=None, scale=_time_scale(day, clock), axis=_time_axis(day))
    y = alt.Y("middle:Q", title="beats per minute", scale=scale)
    base = alt.Chart(alt.Data(values=points))
    band = base.mark_area(opacity=0.25, color="#c2185b").encode(
        x=x, y=alt.Y("low:Q", scale=scale, title="beats per minute"), y2="high:Q", detail="run:N"
    )
    line = base.mark_line(strokeWidth=1.5, color="#c2185b").encode(x=x, y=y, detail="run:N")
    dots = base.transform_filter("datum.alone").mark_circle(size=14, color="#c2185b").encode(x=x, y=y)
    layers = [_zones(day, bounds), band, line, dots, *_alerts(day, clock, bounds)]
    return alt.layer(*layers).properties(width=WIDTH, height=240)


def _points(day: Day, clock: Clock) -> list[dict[str, Any]]:
    """A point for each bin with a rate in it; bins that follow one another are one run."""
    wide = bin_of(day)
    bins: dict[int, list[float]] = {}
    for beat in day.rates:
        bins.setdefault(int(beat.time_s // wide), []).append(beat.bpm)
    found: list[dict[str, Any]] = []
    run, before = 0, None
    for number in sorted(bins):
        values = sorted(bins[number])
        run += before is not None and number != before + 1
        before = number
        found.append({
            "time": _wall((number + 0.5) * wide, day, clock), "middle": values[len(values) // 2],
            "low": values[0], "high": values[-1], "run": run,
        })  # fmt: skip
    counts = [point["run"] for point in found]
    return [{**point, "alone": counts.count(point["run"]) == 1} for point in found] if found else []


def _zones(day: Day, bounds: Sequence[float]) -> alt.Chart:
    edges = [lowest for lowest, _ in day.zones.bounds] + [1000.0]
    names = [name for _, name in day.zones.bounds]
    rows = [
        {"zone": name, "from": max(edges[at], bounds[0]), "to": min(edges[at + 1], bounds[1])}
        for at, name in enumerate(names)
        if edges[at] < bounds[1] and edges[at + 1] > bounds[0]
    ]
    colour = alt.Color(
        "zone:N", title="zone", scale=alt.Scale(domain=names, range=list(ZONE_COLOURS)),
        legend=alt.Legend(orient="bottom", direction="horizontal", values=[row["zone"] for row in rows]),
    )  # fmt: skip
    return (
        alt.Chart(alt.Data(values=rows)).mark_rect(opacity=0.45).encode(y="from:Q", y2="to:Q", color=colour)
    )


def _alerts(day: Day, clock: Clock, bounds: Sequence[float]) -> list[alt.Chart]:
    spans = _rows(day.alerts, day, clock)
    if not spans:
        return []
    rows = [{**row, "at": bounds[0] + 0.04 * (bounds[1] - bounds[0])} for row in spans]
    base = alt.Chart(alt.Data(values=rows))
    bars = base.mark_rule(strokeWidth=5, color=_ALERT).encode(x="start:T", x2="end:T", y="at:Q")
    words = base.mark_text(align="left", dy=-9, color=_ALERT, fontSize=11).encode(
        x="start:T", y="at:Q", text="label:N"
    )
    return [bars, words]


def activity(day: Day, clock: Clock) -> alt.TopLevelMixin | None:
    """A bar for each activity over the day; None where none is known."""
    rows = [row for row in _rows(day.activities, day, clock) if row["label"]]
    if not rows:
        return None
    x = alt.X("start:T", title=None, scale=_time_scale(day, clock), axis=_time_axis(day))
    y = alt.Y("label:N", title=None, sort=sorted({row["label"] for row in rows}), axis=_LABELS)
    colour = alt.Color("label:N", legend=None, scale=alt.Scale(scheme="tableau10"))
    return (
        alt.Chart(alt.Data(values=rows)).mark_bar(height=14).encode(x=x, x2="end:T", y=y, color=colour)
        .properties(width=WIDTH, height=alt.Step(24))
    )  # fmt: skip


def hypnogram(day: Day, clock: Clock) -> alt.TopLevelMixin | None:
    """Stages over the night, the lighter the higher; None without a night."""
    known = [span for span in day.sleep if span.label is not None]
    if not known:
        return None
    first_s, last_s = day.sleep[0].start_s, max(span.end_s for span in day.sleep)
    night = Day(day.source, first_s=first_s, last_s=last_s)
    rows = _rows(known, night, clock)
    x = alt.X("start:T", title=None, scale=_time_scale(night, clock), axis=_time_axis(night))
    y = alt.Y("label:N", title=None, sort=list(_STAGES), scale=alt.Scale(domain=list(_STAGES)), axis=_LABELS)
    colour = alt.Color(
        "label:N", legend=None,
        scale=alt.Scale(domain=list(_STAGES), range=["#e0a030", "#8e5bb5", "#5b9bd5", "#27527d"]),
    )  # fmt: skip
    bars = alt.Chart(alt.Data(values=rows)).mark_bar(height=18)
    return bars.encode(x=x, x2="end:T", y=y, color=colour).properties(width=WIDTH, height=alt.Step(28))


def _rows(spans: Sequence[Span], day: Day, clock: Clock) -> list[dict[str, Any]]:
    return [
        {
            "start": _wall(span.start_s, day, clock),
            "end": _wall(max(span.end_s, span.start_s + 1), day, clock),
            "label": span.label,
        }
        for span in spans
    ]


def _wall(time_s: float, day: Day, clock: Clock) -> int:
    """Milliseconds for an axis of UTC that shows the wall clock as it stood at the beginning."""
    return round(1000 * (time_s + clock.offset_s(day.first_s or 0.0)))


def _time_scale(day: Day, clock: Clock) -> alt.Scale:
    first_s = day.first_s or 0.0
    last_s = max(day.last_s, first_s + 1)
    return alt.Scale(type="utc", domain=[_wall(first_s, day, clock), _wall(last_s, day, clock)], nice=False)


def _time_axis(day: Day) -> alt.Axis:
    length_s = day.last_s - (day.first_s or 0.0)
    form = "%H:%M:%S" if length_s < 600 else "%H:%M" if length_s < 100_000 else "%d %b %H:%M"
    return alt.Axis(format=form, labelOverlap=True, labelSeparation=8, tickCount=10, labelFlush=False)

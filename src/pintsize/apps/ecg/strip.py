"""Pictures of a recording: strips with the beats marked, and the intervals of all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from pintsize.apps.ecg.rhythm import NAMES
from pintsize.apps.ecg.study import Study, ToldEvent

STRIP_S = 10.0
#: of a strip before what it shows begins
BEFORE_S = 2.0
WIDTH, HEIGHT = 960, 150
MOST_STRIPS = 3
#: more points than this are not told apart
MOST_POINTS = 900
#: on paper 25 mm/s: a large square is 0.2 s
SQUARE_S, SQUARE_MV = 0.2, 0.5
UNNAMED = "?"
COLOURS = {
    "N": "var(--quiet)",
    "S": "var(--hue-1)",
    "V": "var(--bad)",
    "F": "var(--hue-4)",
    UNNAMED: "var(--hue-5)",
}
_PAPER = "var(--line)"


def strip(study: Study, start_s: float) -> alt.TopLevelMixin:
    """Ten seconds from start_s: the signal in mV about its median, each beat with its class, and bad signal."""
    end_s = start_s + STRIP_S
    times_s, values_mv = study.trace.between(start_s, end_s)
    middle = float(np.nanmedian(values_mv)) if np.isfinite(values_mv).any() else 0.0
    low, high = _range_mv(values_mv - middle)
    rows = [
        {
            "t": round(float(t), 4),
            "mv": None if np.isnan(v) else round(min(max(float(v) - middle, low), high), 3),
        }
        for t, v in zip(times_s, values_mv, strict=True)
    ]
    x = _x(start_s, end_s)
    y = alt.Y(
        "mv:Q", title="mV", scale=alt.Scale(domain=[low, high], nice=False), axis=_axis(low, high, SQUARE_MV)
    )
    line = alt.Chart(alt.Data(values=rows)).mark_line(color="var(--ink)", strokeWidth=1.1)
    layers = [
        _spans(study, start_s, end_s, x),
        line.encode(x=x, y=y),
        _marks(study, (start_s, end_s), high, x, y),
    ]
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)


def intervals(study: Study) -> alt.TopLevelMixin:
    """The interval before each beat over the whole recording, coloured by the beat's class."""
    measured = [beat for beat in study.beats if beat.interval_s is not None]
    plain = [beat for beat in measured if beat.label == "N"]
    kept = set(plain[:: max(1, -(-len(plain) // MOST_POINTS))])
    rows = [
        {"t": round(beat.time_s, 3), "interval": beat.interval_s, "class": beat.label or UNNAMED}
        for beat in measured
        if beat.label != "N" or beat in kept
    ]
    used = [name for name in COLOURS if any(row["class"] == name for row in rows)]
    scale = alt.Scale(domain=used, range=[COLOURS[name] for name in used])
    points = alt.Chart(alt.Data(values=rows)).mark_point(filled=True, size=16, opacity=0.8)
    x = alt.X("t:Q", title="time, s", scale=alt.Scale(domain=[study.start_s, study.end_s], nice=False))
    drawn = points.encode(
        x=x,
        y=alt.Y("interval:Q", title="interval before the beat, s", scale=alt.Scale(zero=False)),
        color=alt.Color("class:N", title="class", scale=scale),
    )
    return alt.layer(_spans(study, study.start_s, study.end_s, x), drawn).properties(
        width=WIDTH - 60, height=HEIGHT
    )


def shown(study: Study) -> list[tuple[float, str]]:
    """(start in s, title) of the strips that say most: one of each finding, the gravest first; else the beginning."""
    found: list[tuple[float, str]] = []
    for event in _by_gravity(study.events):
        start_s = max(study.start_s, event.start_s - BEFORE_S)
        if all(abs(start_s - other_s) >= STRIP_S / 2 for other_s, _ in found):
            found.append((start_s, f"{NAMES[event.event.finding]} at {event.start_s:.1f} s"))
    if not found:
        found = [(_first_usable_s(study), "the beginning of the usable signal")]
    return found[:MOST_STRIPS]


def _by_gravity(events: Sequence[ToldEvent]) -> list[ToldEvent]:
    """The first and longest of each kind, in the order in which a reader wants them."""
    order = [4, 1, 0, 3, 2, 6, 8, 7]
    longest: dict[int, ToldEvent] = {}
    for event in events:
        known = longest.get(event.event.finding)
        if event.event.finding in order and (known is None or event.event.length > known.event.length):
            longest[event.event.finding] = event
    return sorted(longest.values(), key=lambda event: order.index(event.event.finding))


def _first_usable_s(study: Study) -> float:
    at_s = study.start_s
    for span in study.bad:
        if span.start_s <= at_s < span.end_s:
            at_s = span.end_s
    return at_s if at_s < study.end_s else study.start_s


def _range_mv(values: np.ndarray[Any, Any]) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return -1.0, 1.0
    low, high = np.quantile(finite, [0.001, 0.999])
    return np.floor(min(low, -0.4) / SQUARE_MV - 0.2) * SQUARE_MV, np.ceil(
        max(high, 0.6) / SQUARE_MV + 0.8
    ) * SQUARE_MV


def _axis(low: float, high: float, step: float) -> alt.Axis:
    values = [round(float(v), 3) for v in np.arange(low, high + step / 2, step)]
    return alt.Axis(values=values, grid=True, gridColor=_PAPER, format=".1f", labelOverlap=True)


def _x(start_s: float, end_s: float) -> alt.X:
    first = np.ceil(start_s / SQUARE_S) * SQUARE_S
    values = [round(float(v), 3) for v in np.arange(first, end_s, SQUARE_S)]
    whole = "abs(datum.value - round(datum.value)) < 0.01 ? format(round(datum.value), 'd') : ''"
    axis = alt.Axis(
        values=values, grid=True, gridColor=_PAPER, labelExpr=whole, labelOverlap=False, ticks=False
    )
    return alt.X("t:Q", title="time, s", scale=alt.Scale(domain=[start_s, end_s], nice=False), axis=axis)


def _marks(study: Study, between_s: tuple[float, float], high: float, x: alt.X, y: alt.Y) -> alt.Chart:
    rows = [
        {"t": beat.time_s, "mv": high, "class": beat.label or UNNAMED}
        for beat in study.beats
        if between_s[0] <= beat.time_s < between_s[1]
    ]
    scale = alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))
    text = alt.Chart(alt.Data(values=rows)).mark_text(dy=11, fontSize=13, fontWeight="bold")
    return text.encode(x=x, y=y, text="class:N", color=alt.Color("class:N", scale=scale, legend=None))


def _spans(study: Study, start_s: float, end_s: float, x: alt.X) -> alt.Chart:
    """Where the signal was not fit, shaded."""
    rows = [
        {"t": max(span.start_s, start_s), "to": min(span.end_s, end_s)}
        for span in study.bad
        if span.end_s > start_s and span.start_s < end_s
    ]
    bars = alt.Chart(alt.Data(values=rows)).mark_rect(color="var(--amber)", opacity=0.18)
    return bars.encode(x=x, x2="to:Q")

"""A day on one page: heart rate with its zones, activity, sleep, alerts, and what was missing. It prints as it is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePath

from pintsize.apps.wearable.application import NOTICE
from pintsize.apps.wearable.day import Day, Span
from pintsize.apps.wearable.night import Slept
from pintsize.apps.wearable.opening import Clock, is_since_1970
from pintsize.apps.wearable.resting import resting_by_day, resting_rate, zone_minutes
from pintsize.report.document import document
from pintsize.report.drawing import picture, require_drawing
from pintsize.report.markup import EMPTY, Markup, join, table, tag

_DAY_S = 86400
#: reasons and breaks that are listed
_MOST = 12


def day_page(day: Day, clock: Clock, slept: Slept | None = None) -> str:
    """One HTML file that needs nothing else; the same day gives the same bytes.

    Raises MissingExtra where Altair is not installed.
    """
    require_drawing()
    return document(
        f"Day of {_name(day)}", _head(day, clock), _figures(day, slept), _heart(day, clock), _activity(day, clock),
        _sleep(day, clock, slept), _alerts(day, clock), _missing(day, clock),
    )  # fmt: skip


def _head(day: Day, clock: Clock) -> Markup:
    first_s = day.first_s
    told = "There is no signal." if first_s is None else clock.in_words(first_s, day.last_s)
    span = (
        EMPTY
        if first_s is None
        else tag("p", f"{wall(first_s, clock)} to {wall(day.last_s, clock)}", class_="lead")
    )
    notes = tag("ul", *(tag("li", note) for note in day.notes)) if day.notes else EMPTY
    head = tag("p", "Wearable", class_="eyebrow")
    return join(
        (head, tag("h1", _name(day)), span, tag("p", tag("strong", NOTICE), " ", told, class_="note"), notes)
    )


def _name(day: Day) -> str:
    """Of the source, without the folders."""
    return PurePath(day.source).name or day.source


def _figures(day: Day, slept: Slept | None) -> Markup:
    resting, why = resting_rate(day.rates, day.period_s)
    rates = sorted(beat.bpm for beat in day.rates)
    told = [
        (
            "resting heart rate, lowest 5 minutes" if resting is not None else f"resting heart rate: {why}",
            f"{resting:.0f}" if resting is not None else "none",
        ),
        ("middle heart rate", f"{rates[len(rates) // 2]:.0f}" if rates else "none"),
        ("lowest and highest", f"{rates[0]:.0f} – {rates[-1]:.0f}" if rates else "none"),
        ("time with a heart rate", f"{_covered(day):.0%}"),
        ("alerts", str(len(day.alerts))),
    ]
    if slept is not None:
        told.append(
            ("asleep, of the night that is known", "none" if slept.asleep is None else f"{slept.asleep:.0%}")
        )
    tiles = (
        tag("div", tag("strong", value), tag("span", label, class_="label"), class_="headline")
        for label, value in told
    )
    return tag("div", *tiles, class_="headlines")


def _covered(day: Day) -> float:
    """Share of the recording's time with a rate."""
    length_s = day.last_s - (day.first_s or 0.0)
    return min(1.0, len(day.rates) * day.period_s / length_s) if length_s > 0 else 0.0


def _heart(day: Day, clock: Clock) -> Markup:
    from pintsize.apps.wearable import charts

    drawn = charts.heart_rate(day, clock)
    if drawn is None:
        return tag("section", tag("h2", "Heart rate"), tag("p", "No heart rate was measured."))
    told = (
        f"Middle, lowest and highest rate of every {charts.bin_of(day):g} s; where there is no line nothing was "
        f"measured. Zones are shares of {day.zones.highest_bpm:g} beats per minute."
    )
    minutes = [(name, f"{value:.0f}") for name, value in zone_minutes(day).items()]
    return tag(
        "section", tag("h2", "Heart rate"), picture(drawn, told), _by_day(day, clock),
        table([("zone", False), ("minutes", True)], minutes),
    )  # fmt: skip


def _by_day(day: Day, clock: Clock) -> Markup:
    """The resting rate of each calendar day, where there is more than one."""
    offset_s = clock.offset_s(day.first_s or 0.0)
    found = resting_by_day(day, offset_s)
    if len(found) < 2:
        return EMPTY
    rows = [
        (_date(number, day), f"{rate:.0f}" if rate is not None else f"none: {why}")
        for number, (rate, why) in sorted(found.items())
    ]
    return table([("day, from midnight to midnight", False), ("resting heart rate", True)], rows)


def _date(number: int, day: Day) -> str:
    if not is_since_1970(day.first_s or 0.0):
        return f"day {number + 1}"
    return datetime.fromtimestamp(number * _DAY_S, UTC).strftime("%Y-%m-%d")


def _activity(day: Day, clock: Clock) -> Markup:
    from pintsize.apps.wearable import charts

    drawn = charts.activity(day, clock)
    if drawn is None:
        return EMPTY
    told = "What the person did; where there is no bar it was not known."
    return tag("section", tag("h2", "Activity"), picture(drawn, told))


def _sleep(day: Day, clock: Clock, slept: Slept | None) -> Markup:
    from pintsize.apps.wearable import charts

    if slept is None:
        return EMPTY
    drawn = charts.hypnogram(day, clock)
    if drawn is None:
        reasons = sorted({span.reason or "not known" for span in slept.spans})
        return tag("section", tag("h2", "Sleep"), tag("p", f"No stage is known: {'; '.join(reasons)}."))
    told = "Stages by epochs of 30 s; where there is no bar none is known."
    if not is_since_1970(slept.spans[0].start_s):
        told += " Times count from the first epoch."
    rows = [(stage, f"{minutes:.0f}") for stage, minutes in sorted(slept.minutes.items())]
    rows.append(("not known", f"{slept.unknown_minutes:.0f}"))
    return tag(
        "section",
        tag("h2", "Sleep"),
        picture(drawn, told),
        table([("stage", False), ("minutes", True)], rows),
    )


def _alerts(day: Day, clock: Clock) -> Markup:
    if not day.alerts:
        return tag("section", tag("h2", "Alerts"), tag("p", "None."))
    rows = [_row(span, clock) for span in day.alerts]
    heads = [("from", False), ("to", False), ("what", False), ("why", False)]
    return tag("section", tag("h2", "Alerts"), table(heads, rows))


def _missing(day: Day, clock: Clock) -> Markup:
    """Why there was no rate, and where the signal broke."""
    reasons = [(reason, f"{count}") for reason, count in day.without.most_common(_MOST)]
    breaks = [(wall(span.start_s, clock), span.reason or "") for span in day.breaks[:_MOST]]
    more = len(day.breaks) - len(breaks)
    told = [
        table([("why there was no rate", False), ("answers", True)], reasons) if reasons else EMPTY,
        table([("at", False), ("where the signal broke", False)], breaks) if breaks else EMPTY,
        tag("p", f"and {more} more", class_="note") if more else EMPTY,
    ]
    if not reasons and not breaks:
        told = [tag("p", "Nothing was missing.")]
    return tag("section", tag("h2", "What was missing"), *told)


def _row(span: Span, clock: Clock) -> tuple[str, str, str, str]:
    return wall(span.start_s, clock), wall(span.end_s, clock), span.label or "", span.reason or ""


def wall(time_s: float, clock: Clock) -> str:
    """A time as the clock on the wall showed it; from the beginning of a recording without a date."""
    if not is_since_1970(time_s):
        whole = round(time_s)
        return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return datetime.fromtimestamp(time_s + clock.offset_s(time_s), UTC).strftime("%Y-%m-%d %H:%M:%S")

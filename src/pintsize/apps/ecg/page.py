"""The report of one recording on one page: what should be done and why, the figures, the strips. It prints as it is."""

from __future__ import annotations

from collections.abc import Sequence

from pintsize.apps.ecg.quality import RATE_HZ
from pintsize.apps.ecg.rhythm import CLASSES, NAMES, RATE_BEATS, bpm
from pintsize.apps.ecg.study import Study
from pintsize.apps.ecg.triage import NOTICE, Level
from pintsize.report.document import document
from pintsize.report.drawing import picture, require_drawing
from pintsize.report.markup import EMPTY, Markup, join, table, tag

ADVICE = {
    Level.URGENT: "Show this to a doctor now.",
    Level.REPEAT: "Record again: check skin, electrodes and leads; sit still; away from mains cables.",
    Level.REFER: "Show this to a doctor.",
    Level.NORMAL: "Nothing that these rules look for was found. Symptoms matter more than this page.",
}
VERDICTS = {Level.URGENT: "bad", Level.REPEAT: "quiet", Level.REFER: "quiet", Level.NORMAL: "good"}
TITLES = {
    "N": "normal and bundle branch block",
    "S": "supraventricular",
    "V": "ventricular",
    "F": "fusion",
}
#: the tables side by side; on paper all of it on one sheet
STYLE = """
.tables { display: flex; flex-wrap: wrap; gap: 0 28px; } .tables section { flex: 1 1 300px; }
.tables td { white-space: normal; } .tables td.number { white-space: nowrap; }
@media print {
  @page { size: A4; margin: 10mm; } main { zoom: .52; max-width: none; padding: 0; }
  section { padding: 10px 16px; margin-top: 10px; } .headlines { margin-top: 10px; } p { max-width: none; }
}
"""
LIMITS = (
    "One lead: no ischaemia, no intervals within a beat, no pacemakers, no children; learnt from 22 adults of one "
    "hospital. Atrial flutter with even intervals and ventricular flutter without beats are not seen as such."
)


def study_page(study: Study, name: str, told: Sequence[str] = ()) -> str:
    """One HTML file that needs nothing else; the same study gives the same bytes.

    name: of the recording; told: further lines, such as where its unit is known from.
    Raises MissingExtra where Altair is not installed.
    """
    require_drawing()
    tables = tag("div", _beats(study), _findings(study), _signal(study, told), class_="tables")
    body = (_head(study, name), _figures(study), *_strips(study), tables)
    return document(f"ECG {name}", tag("style", Markup(STYLE)), *body)


def _head(study: Study, name: str) -> Markup:
    level = study.triage.level
    reasons = tag("ul", *(tag("li", reason) for reason in study.triage.reasons))
    return join(
        (
            tag("p", f"ECG · {name}", class_="eyebrow"),
            tag("h1", tag("span", study.triage.name, class_=f"verdict {VERDICTS[level]}")),
            tag("p", ADVICE[level]),
            reasons,
            tag("p", tag("strong", f"{NOTICE}."), " ", LIMITS, class_="note"),
        )
    )


def _figures(study: Study) -> Markup:
    counts = study.recorded.counts
    fastest, slowest = bpm(RATE_BEATS, counts.fastest), bpm(RATE_BEATS, counts.slowest)
    told = [
        ("heart rate, mean, /min", _rate(study.rate_bpm)),
        ("slowest and fastest of 8 intervals, /min", f"{_rate(slowest)} – {_rate(fastest)}"),
        ("pauses above 2 s", _times(counts.pauses, counts.longest_pause)),
        (
            "ventricular runs, couplets, spells of bigeminy",
            f"{counts.ventricular_runs}, {counts.couplets}, {counts.bigeminies}",
        ),
        ("irregular windows of 32 intervals", _irregular(study)),
        ("usable signal", f"{study.recorded.usable / RATE_HZ:.0f} of {study.recorded.total / RATE_HZ:.0f} s"),
    ]
    tiles = (
        tag("div", tag("strong", value), tag("span", label, class_="label"), class_="headline")
        for label, value in told
    )
    return tag("div", *tiles, class_="headlines")


def _beats(study: Study) -> Markup:
    counts = study.recorded.counts
    rows = [
        (f"{name}, {TITLES[name]}", *_share(count, counts.beats))
        for name, count in zip(CLASSES, counts.classes, strict=True)
    ]
    rows += [("not named", *_share(counts.abstained, counts.beats)), ("all", f"{counts.beats:,}", "")]
    heads = [("AAMI class", False), ("beats", True), ("of all", True)]
    return tag("section", tag("h2", "Beats"), table(heads, rows))


def _strips(study: Study) -> list[Markup]:
    from pintsize.apps.ecg import strip

    drawn: list[Markup] = []
    for start_s, title in strip.shown(study):
        told = f"{title}: 10 s from {start_s:.1f} s. Grid 0.2 s and 0.5 mV. Shaded: not fit to be judged."
        drawn.append(tag("section", tag("h2", title), picture(strip.strip(study, start_s), told)))
    if any(beat.interval_s is not None for beat in study.beats):
        told = "Interval before each beat, by class. Shaded: not fit to be judged."
        drawn.append(tag("section", tag("h2", "All intervals"), picture(strip.intervals(study), told)))
    return drawn


def _findings(study: Study) -> Markup:
    if not study.events:
        return EMPTY
    most = 8
    rows = [
        (
            f"{told.start_s:.1f} s",
            NAMES[told.event.finding],
            f"{told.length_s:.1f} s",
            str(told.event.beats or ""),
        )
        for told in study.events[:most]
    ]
    heads = [("at", True), ("finding", False), ("length", True), ("beats", True)]
    more = len(study.events) - most
    note = tag("p", f"and {more} more", class_="note") if more > 0 else EMPTY
    return tag("section", tag("h2", "Findings"), table(heads, rows), note)


def _signal(study: Study, told: Sequence[str]) -> Markup:
    recorded = study.recorded
    usable_s, total_s = recorded.usable / RATE_HZ, recorded.total / RATE_HZ
    lengths: dict[str, float] = {}
    for span in study.bad:
        lengths[span.reason] = lengths.get(span.reason, 0.0) + span.end_s - span.start_s
    rows = [("usable", f"{usable_s:.1f} s of {total_s:.1f} s")]
    rows += [
        (reason, f"{length_s:.1f} s") for reason, length_s in sorted(lengths.items(), key=lambda e: -e[1])
    ]
    return tag(
        "section",
        tag("h2", "Signal"),
        table([("", False), ("", True)], rows),
        join(tag("p", line, class_="note") for line in told),
    )


def _rate(value: float | None) -> str:
    return "not known" if value is None else f"{value:.1f}"


def _times(count: int, longest: int) -> str:
    return f"{count}" if not count else f"{count}, up to {longest / RATE_HZ:.1f} s"


def _irregular(study: Study) -> str:
    counts = study.recorded.counts
    return f"{counts.irregular_windows} of {counts.irregular_windows + counts.regular_windows}"


def _share(count: int, whole: int) -> tuple[str, str]:
    return f"{count:,}", f"{100 * count / whole:.1f} %" if whole else ""

"""What should be done about a recording: urgent, repeat, refer or normal, each with its reasons, in integers.

Urgent is told wherever it was found. Otherwise a recording that is too short, too bad or with its leads reversed is to
be repeated before anything else is made of it; then come the findings that a doctor should see.

A screening aid, not a diagnosis: "normal" says only that none of these rules found anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from pintsize.apps.ecg.quality import RATE_HZ
from pintsize.apps.ecg.rhythm import RATE_BEATS, Counts, bpm

NOTICE = "A screening aid, not a diagnosis"
#: usable signal in samples; below it nothing is said
LEAST_USABLE = 10 * RATE_HZ
#: percent of the signal that may be unusable
MOST_UNUSABLE = 30
#: percent of the beats that the classifier may abstain from
MOST_UNSURE = 25
#: beats that show the sign of the QRS; percent of them that are upside down
SIGN_BEATS, REVERSED_PERCENT = 8, 75
LONG_PAUSE = 3 * RATE_HZ
#: a minute, of RATE_BEATS intervals
VERY_SLOW_BPM, VERY_FAST_BPM = 40, 150
#: a minute, of all intervals
SLOW_BPM, FAST_BPM = 50, 100
#: percent of the beats that may be ventricular, supraventricular; and beats there must be at least
VENTRICULAR_PERCENT, SUPRAVENTRICULAR_PERCENT, LEAST_ECTOPIC = 1, 5, 3


class Level(IntEnum):
    """C has the same numbers."""

    NORMAL = 0
    REFER = 1
    REPEAT = 2
    URGENT = 3


@dataclass(frozen=True)
class Recorded:
    """What triage looks at. usable, total: samples; upright, inverted: beats by the sign of their QRS."""

    counts: Counts
    usable: int
    total: int
    upright: int
    inverted: int

    @property
    def reversed_suspected(self) -> bool:
        signed = self.upright + self.inverted
        return signed >= SIGN_BEATS and self.inverted * 100 >= signed * REVERSED_PERCENT


@dataclass(frozen=True)
class Rule:
    """level: of a recording where it holds; holds: of what was recorded; told: with its figures."""

    level: Level
    holds: Callable[[Recorded], bool]
    told: Callable[[Recorded], str]


def _percent(part: int, whole: int, limit: int) -> bool:
    """Whether the part is more than so many percent of the whole."""
    return part * 100 > whole * limit


def _seconds(samples: int) -> str:
    return f"{samples / RATE_HZ:.1f} s"


def _several(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _rate(intervals: int, length: int) -> str:
    return f"{bpm(intervals, length)} beats a minute"


#: the order is C's, bit for bit
RULES = (
    Rule(
        Level.URGENT,
        lambda r: r.counts.tachycardias > 0,
        lambda r: (
            f"ventricular tachycardia: {_several(r.counts.tachycardias, 'run')}, the longest of "
            f"{r.counts.longest_run} beats, up to {_rate(2, r.counts.fastest_run)}"
        ),
    ),
    Rule(
        Level.URGENT,
        lambda r: r.counts.longest_pause >= LONG_PAUSE,
        lambda r: f"a pause of {_seconds(r.counts.longest_pause)}",
    ),
    Rule(
        Level.URGENT,
        lambda r: r.counts.standstills > 0,
        lambda r: f"no beat for 4 s and more ({r.counts.standstills}): if there is no pulse, act at once",
    ),
    Rule(
        Level.URGENT,
        lambda r: 0 < RATE_BEATS * 60 * RATE_HZ < r.counts.slowest * VERY_SLOW_BPM,
        lambda r: f"very slow: down to {_rate(RATE_BEATS, r.counts.slowest)}",
    ),
    Rule(
        Level.URGENT,
        lambda r: 0 < r.counts.fastest * VERY_FAST_BPM < RATE_BEATS * 60 * RATE_HZ,
        lambda r: f"very fast: up to {_rate(RATE_BEATS, r.counts.fastest)}",
    ),
    Rule(
        Level.REPEAT,
        lambda r: r.usable < LEAST_USABLE,
        lambda r: f"only {_seconds(r.usable)} of the signal are usable, 10 s are needed",
    ),
    Rule(
        Level.REPEAT,
        lambda r: _percent(r.total - r.usable, r.total, MOST_UNUSABLE),
        lambda r: (
            f"{100 * (r.total - r.usable) // max(r.total, 1)} % of the signal are not usable, "
            f"{MOST_UNUSABLE} % may be"
        ),
    ),
    Rule(
        Level.REPEAT,
        lambda r: r.usable >= LEAST_USABLE and r.counts.intervals < RATE_BEATS,
        lambda r: f"only {r.counts.intervals} intervals between beats could be measured",
    ),
    Rule(
        Level.REPEAT,
        lambda r: r.reversed_suspected,
        lambda r: (
            f"reversed lead suspected: {r.inverted} of {r.upright + r.inverted} beats are upside down; "
            "check the leads"
        ),
    ),
    Rule(
        Level.REPEAT,
        lambda r: _percent(
            r.counts.abstained - r.counts.learning, r.counts.beats - r.counts.learning, MOST_UNSURE
        ),
        lambda r: (
            f"{r.counts.abstained - r.counts.learning} of {r.counts.beats - r.counts.learning} beats could not "
            "be named"
        ),
    ),
    Rule(
        Level.REFER,
        lambda r: r.counts.irregularities > 0,
        lambda r: "irregularly irregular intervals: possible atrial fibrillation",
    ),
    Rule(
        Level.REFER,
        lambda r: r.counts.ventricular_runs > r.counts.tachycardias,
        lambda r: (
            f"{_several(r.counts.ventricular_runs - r.counts.tachycardias, 'ventricular run')} below 100 a minute"
        ),
    ),
    Rule(
        Level.REFER,
        lambda r: r.counts.couplets > 0,
        lambda r: _several(r.counts.couplets, "ventricular couplet"),
    ),
    Rule(
        Level.REFER,
        lambda r: r.counts.bigeminies > 0,
        lambda r: f"ventricular bigeminy ({_several(r.counts.bigeminies, 'spell')})",
    ),
    Rule(
        Level.REFER,
        lambda r: (
            r.counts.classes[2] >= LEAST_ECTOPIC
            and _percent(r.counts.classes[2], r.counts.beats, VENTRICULAR_PERCENT)
        ),
        lambda r: f"{r.counts.classes[2]} of {r.counts.beats} beats are ventricular",
    ),
    Rule(
        Level.REFER,
        lambda r: r.counts.supraventricular_runs > 0,
        lambda r: _several(r.counts.supraventricular_runs, "supraventricular run"),
    ),
    Rule(
        Level.REFER,
        lambda r: (
            r.counts.classes[1] >= LEAST_ECTOPIC
            and _percent(r.counts.classes[1], r.counts.beats, SUPRAVENTRICULAR_PERCENT)
        ),
        lambda r: f"{r.counts.classes[1]} of {r.counts.beats} beats are supraventricular",
    ),
    Rule(
        Level.REFER,
        lambda r: r.counts.pauses > 0 and r.counts.longest_pause < LONG_PAUSE,
        lambda r: f"{_several(r.counts.pauses, 'pause')}, up to {_seconds(r.counts.longest_pause)}",
    ),
    Rule(
        Level.REFER,
        lambda r: 0 < r.counts.intervals * 60 * RATE_HZ < r.counts.interval_sum * SLOW_BPM,
        lambda r: f"slow: {_rate(r.counts.intervals, r.counts.interval_sum)}",
    ),
    Rule(
        Level.REFER,
        lambda r: 0 < r.counts.interval_sum * FAST_BPM < r.counts.intervals * 60 * RATE_HZ,
        lambda r: f"fast: {_rate(r.counts.intervals, r.counts.interval_sum)}",
    ),
)


@dataclass(frozen=True)
class Triage:
    """level: the most pressing; reasons: of that level first, then all others; bits: of RULES, as C gives them."""

    level: Level
    reasons: tuple[str, ...]
    bits: int

    @property
    def name(self) -> str:
        return self.level.name.lower()


def triage(recorded: Recorded) -> Triage:
    """Every rule that holds."""
    held = [(bit, rule) for bit, rule in enumerate(RULES) if rule.holds(recorded)]
    level = max((rule.level for _, rule in held), default=Level.NORMAL)
    ordered = sorted(held, key=lambda entry: -entry[1].level)
    reasons = tuple(rule.told(recorded) for _, rule in ordered) or ("nothing that these rules look for",)
    return Triage(level, reasons, sum(1 << bit for bit, _ in held))

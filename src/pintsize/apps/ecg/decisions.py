"""What was found, as decisions."""

from __future__ import annotations

from pintsize.apps.ecg.quality import RATE_HZ
from pintsize.apps.ecg.rhythm import CLASSES, NAMES, RATE_BEATS, Event, Finding, bpm
from pintsize.apps.ecg.study import Study
from pintsize.apps.ecg.triage import NOTICE
from pintsize.stream.decision import Decision


def finding(event: Event, time_s: float, start_s: float) -> Decision:
    """With its length and, where it has beats, how many and how fast."""
    slots = [("length_s", f"{event.length / RATE_HZ:.2f}")]
    if event.beats:
        slots.append(("beats", str(event.beats)))
    if event.beats > 1 and event.length:
        intervals = event.beats if event.finding is Finding.IRREGULAR else event.beats - 1
        slots.append(("bpm", str(bpm(intervals, event.length))))
    return Decision(time_s, "finding", NAMES[event.finding], start_s=start_s, slots=tuple(slots))


def rhythm_of(study: Study, time_s: float) -> Decision:
    """The mean rate of a whole recording, with its counts."""
    counts = study.recorded.counts
    slots = {
        "beats": counts.beats,
        **dict(zip(CLASSES, counts.classes, strict=True)),
        "abstained": counts.abstained,
        "slowest_bpm": bpm(RATE_BEATS, counts.slowest),
        "fastest_bpm": bpm(RATE_BEATS, counts.fastest),
        "pauses": counts.pauses,
        "couplets": counts.couplets,
        "ventricular_runs": counts.ventricular_runs,
        "supraventricular_runs": counts.supraventricular_runs,
        "usable_s": round(study.recorded.usable / RATE_HZ, 2),
        "signal_s": round(study.recorded.total / RATE_HZ, 2),
    }
    told = tuple((name, str(value)) for name, value in slots.items() if value is not None)
    reason = None if study.rate_bpm is not None else "no interval between beats could be measured"
    return Decision(time_s, "rhythm", study.rate_bpm, reason=reason, start_s=study.start_s, slots=told)


def triage_of(study: Study, time_s: float) -> Decision:
    """What should be done, and why."""
    reasons = "; ".join(study.triage.reasons)
    return Decision(time_s, "triage", study.triage.name, None, reasons, study.start_s, (("notice", NOTICE),))

"""The resting heart rate of a day, and how long it was in each zone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from pintsize.apps.wearable.day import Beat, Day

#: the lowest mean over so many seconds, of which at least this share must have a rate
WINDOW_S, LEAST_SHARE = 300, 0.6
_DAY_S = 86400


def resting_rate(rates: Sequence[Beat], period_s: float) -> tuple[float | None, str | None]:
    """(beats per minute, None), or (None, why). The lowest mean over 5 minutes at rest.

    Where rest is not known (no accelerometer) all minutes count; the lowest of a day is then taken for rest.
    """
    quiet = [beat for beat in rates if beat.at_rest is not False]
    if not quiet:
        return None, "no rate at rest was measured"
    minutes: dict[int, list[float]] = defaultdict(list)
    for beat in quiet:
        minutes[int(beat.time_s // 60)].append(beat.bpm)
    least = LEAST_SHARE * WINDOW_S / max(period_s, 1.0)
    means: list[float] = []
    for first in minutes:
        inside = [bpm for minute in range(first, first + WINDOW_S // 60) for bpm in minutes.get(minute, ())]
        if len(inside) >= least:
            means.append(sum(inside) / len(inside))
    if not means:
        return None, f"no {WINDOW_S // 60} minutes at rest with enough rates in them"
    return min(means), None


def resting_by_day(day: Day, offset_s: float = 0.0) -> dict[int, tuple[float | None, str | None]]:
    """Number of the day (since that of the clock's beginning) → its resting rate. offset_s: of the wall clock."""
    return {
        number: resting_rate(rates, day.period_s)
        for number, rates in _grouped(day.rates, lambda beat: int((beat.time_s + offset_s) // _DAY_S)).items()
    }


def zone_minutes(day: Day) -> dict[str, float]:
    """Zone → minutes; each rate counts for the time until the next one, at most for its period."""
    counts = Counter(day.zones.of(beat.bpm) for beat in day.rates)
    return {name: counts[name] * day.period_s / 60 for _, name in day.zones.bounds}


def _grouped(rates: Sequence[Beat], key: Callable[[Beat], int]) -> dict[int, list[Beat]]:
    found: dict[int, list[Beat]] = {}
    for beat in rates:
        found.setdefault(key(beat), []).append(beat)
    return found

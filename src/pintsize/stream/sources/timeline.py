"""From the times in a file to its rate and to where its samples do not follow one another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import DataError
from pintsize.stream.sources.replay import Segment, Timeline

_Times = NDArray[np.float64]

#: a rate or a period this near to a whole number is that number: times are rounded when they are written
_SNAP = 1e-3
#: what is late by more than this share of a period is missing, unless the samples after it catch up
_LATE = 0.5
_CATCH_UP = 5
#: at least this share of the steps must be near the period
_EVEN_SHARE = 0.6
#: later than an earlier one by no more: out of order. By more: the clock was set back
_ORDER_S = 1.0


def timeline(times_s: _Times, where: str, said_hz: float | None) -> tuple[float, Timeline]:
    """The rate in Hz, and the timeline. Times that only tick every few samples are spread over the tick.

    said_hz: what the user says of the rate, which is taken where the times are uneven
    Raises DataError for times that do not say a rate: fewer than two, not numbers, never going on, or uneven.
    """
    if not np.isfinite(times_s).all():
        line = int(np.argmin(np.isfinite(times_s)))
        raise DataError(f"{where}: the time of sample {line} cannot be read")
    if len(times_s) < 2 or not (np.diff(times_s) > 0).any():
        raise DataError(f"{where}: its times do not go on, so they say no rate")
    steps = np.diff(times_s)
    if np.mean(steps == 0) >= 0.5:
        return _ticking(times_s)
    period_s = _period_s(steps)
    if np.mean(np.abs(steps / period_s - 1) < _LATE) < _EVEN_SHARE:
        if said_hz is None:
            raise DataError(
                f"{where}: its times are uneven, {steps.min():g} to {steps.max():g} s apart, so they say no rate; "
                "give source_rate_hz, and what is missing in between is told as gaps"
            )
        return said_hz, Timeline(times_s, tuple(_segments(times_s, 1 / said_hz)))
    return _snapped(1 / period_s), Timeline(times_s, tuple(_segments(times_s, period_s)))


def _period_s(steps: _Times) -> float:
    """The mean of the steps that are neither gaps nor repetitions: rounded times make the median alone wrong."""
    middle = float(np.median(steps[steps > 0]))
    regular = steps[(steps > 0.25 * middle) & (steps < 1.75 * middle)]
    return float(regular.mean())


def _snapped(rate_hz: float) -> float:
    whole, seconds = round(rate_hz), round(1 / rate_hz)
    if whole and abs(rate_hz / whole - 1) < _SNAP:
        return float(whole)
    if seconds and abs(1 / rate_hz / seconds - 1) < _SNAP:
        return 1.0 / seconds
    return float(f"{rate_hz:.4g}")


def _segments(times_s: _Times, period_s: float) -> list[Segment]:
    steps = np.diff(times_s)
    candidates = np.flatnonzero((steps <= 0) | (steps > (1 + _LATE) * period_s)) + 1
    found: list[Segment] = []
    first, gap_s, done = 0, 0.0, 0
    for at in candidates.tolist():
        if at <= done:  # judged with the late ones before it
            continue
        before_s = float(times_s[at - 1])
        missing_s = float(times_s[at]) - before_s - period_s
        if times_s[at] > before_s and not _stays_late(times_s, at, period_s):
            continue
        found.append(Segment(first, at, gap_s))
        first, gap_s = at, missing_s
        if (
            -_ORDER_S - period_s < missing_s <= -period_s
        ):  # these few are late; then it goes on after before_s
            later = np.flatnonzero(times_s[at:] > before_s)
            done = at + int(later[0]) if len(later) else len(times_s)
            found.append(Segment(at, done, gap_s))
            rest_s = float(times_s[done]) - before_s - period_s if len(later) else 0.0
            first, gap_s = done, rest_s if rest_s > _LATE * period_s else 0.0
    found.append(Segment(first, len(times_s), gap_s))
    return [segment for segment in found if segment.stop > segment.first]


def _stays_late(times_s: _Times, at: int, period_s: float) -> bool:
    """Whether samples are missing; a phone's late sample is followed by some that come sooner."""
    after = times_s[at : at + _CATCH_UP]
    due_s = times_s[at - 1] + period_s * np.arange(1, len(after) + 1)
    return bool((after - due_s).min() > _LATE * period_s)


def _ticking(times_s: _Times) -> tuple[float, Timeline]:
    """Times in whole seconds, say, with many samples in each."""
    firsts = np.flatnonzero(np.diff(times_s, prepend=-np.inf) != 0)
    ticks = times_s[firsts]
    counts = np.diff(firsts, append=len(times_s))
    inner = counts[1:-1] if len(counts) > 2 else counts
    steps = np.diff(ticks)
    tick_s = float(np.median(steps[steps > 0]))
    rate_hz = _snapped(float(np.median(inner)) / tick_s)
    within = np.arange(len(times_s)) - np.repeat(firsts, counts)
    spread_s = np.repeat(ticks, counts) + within / rate_hz
    # the first tick may have begun before the recording did: its samples lie at its end
    spread_s[: counts[0]] += max(tick_s - counts[0] / rate_hz, 0.0)
    breaks = np.flatnonzero((steps < 0) | (steps > 1.5 * tick_s)) + 1
    edges = [0, *firsts[breaks].tolist(), len(times_s)]
    gaps_s = [0.0, *(steps[breaks - 1] - tick_s).tolist()]
    segments = [Segment(edges[i], edges[i + 1], gap_s) for i, gap_s in enumerate(gaps_s)]
    return rate_hz, Timeline(spread_s, tuple(segments))

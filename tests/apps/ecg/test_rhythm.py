"""From beats to rhythm, on sequences small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pintsize.apps.ecg.quality import RATE_HZ
from pintsize.apps.ecg.rhythm import Event, Finding, Rhythm, bpm


def told(*beats: tuple[str | None, int]) -> tuple[list[Event], Rhythm]:
    """Beats with the samples since the one before."""
    rhythm, at, events = Rhythm(), 0, []
    for label, interval in beats:
        at += interval
        events += rhythm.beat(at, label)
    return events, rhythm


def test_a_steady_heart_shows_nothing_but_its_rate() -> None:
    events, rhythm = told(*[("N", 150)] * 40)
    assert events == []
    counts = rhythm.counts
    assert (counts.beats, counts.intervals, bpm(counts.intervals, counts.interval_sum)) == (40, 39, 72.0)
    assert (counts.fastest, counts.slowest) == (8 * 150, 8 * 150)


def test_a_pause_is_told_with_its_length() -> None:
    events, rhythm = told(("N", 150), ("N", 361), ("N", 360))
    assert events == [Event(Finding.PAUSE, 150, 361, 0)]
    assert rhythm.counts.longest_pause == 361


def test_no_beat_for_four_seconds_is_told_at_once_and_once() -> None:
    _, rhythm = told(("N", 100))
    assert rhythm.wait(100 + 4 * RATE_HZ - 1) == []
    assert [event.finding for event in rhythm.wait(100 + 4 * RATE_HZ)] == [Finding.STANDSTILL]
    assert rhythm.wait(100 + 9 * RATE_HZ) == []


@pytest.mark.parametrize(
    ("interval", "finding"), [(108, Finding.VENTRICULAR_TACHYCARDIA), (109, Finding.VENTRICULAR_RUN)]
)
def test_three_ventricular_beats_are_a_run_and_fast_ones_a_tachycardia(
    interval: int, finding: Finding
) -> None:
    events, rhythm = told(("N", 150), *[("V", interval)] * 4, ("N", 150))
    assert [(e.finding, e.beats, e.length) for e in events] == [
        (finding, 3, 2 * interval),
        (Finding.RUN_OVER, 4, 3 * interval),
    ]
    assert (rhythm.counts.ventricular_runs, rhythm.counts.longest_run) == (1, 4)


def test_two_are_a_couplet_and_one_is_nothing() -> None:
    events, _ = told(("N", 150), ("V", 100), ("V", 100), ("N", 150), ("V", 100), ("N", 150))
    assert events == [Event(Finding.COUPLET, 250, 100, 2)]


def test_bigeminy_is_told_once_a_spell() -> None:
    events, rhythm = told(
        *[("N", 200), ("V", 120)] * 6, ("N", 150), ("N", 150), *[("V", 120), ("N", 200)] * 3
    )
    assert [event.finding for event in events] == [Finding.BIGEMINY] * 2
    assert rhythm.counts.bigeminies == 2


def test_a_fast_run_of_supraventricular_beats() -> None:
    events, _ = told(("N", 150), *[("S", 90)] * 5, ("N", 150))
    assert events == [Event(Finding.SUPRAVENTRICULAR_RUN, 240, 180, 3)]
    slow, _ = told(("N", 150), *[("S", 109)] * 5, ("N", 150))
    assert slow == []


def test_an_unnamed_beat_ends_a_run_but_not_the_rate() -> None:
    events, rhythm = told(("N", 150), ("V", 90), ("V", 90), (None, 90), ("V", 90))
    assert [event.finding for event in events] == [Finding.COUPLET]
    assert (rhythm.counts.abstained, rhythm.counts.intervals) == (1, 4)


def test_nothing_is_measured_over_a_break() -> None:
    _, rhythm = told(("N", 150), ("V", 90), ("V", 90))
    rhythm.break_off()
    assert rhythm.beat(5000, "V") == []
    assert rhythm.counts.intervals == 2


def test_fibrillation_is_irregular_and_other_rhythms_are_not() -> None:
    drawn = np.random.default_rng(0)
    wild, _ = told(*[("N", int(n)) for n in drawn.uniform(80, 220, 120)])
    assert [event.finding for event in wild] == [Finding.IRREGULAR]
    breathing = [("N", int(150 + 12 * np.sin(k / 3))) for k in range(120)]
    alternating = [("N", 110 if k % 2 else 190) for k in range(120)]
    early = [
        ("S" if k % 7 == 0 else "N", 100 if k % 7 == 0 else 210 if k % 7 == 1 else 150) for k in range(120)
    ]
    for even in (breathing, alternating, early):
        events, rhythm = told(*even)
        assert Finding.IRREGULAR not in [event.finding for event in events]
        assert rhythm.counts.regular_windows > 4


def test_ventricular_beats_do_not_make_a_rhythm_irregular() -> None:
    drawn = np.random.default_rng(1)
    beats = [("V", int(drawn.uniform(60, 100))) if drawn.random() < 0.3 else ("N", 150) for _ in range(300)]
    events, _ = told(*beats)
    assert Finding.IRREGULAR not in [event.finding for event in events]

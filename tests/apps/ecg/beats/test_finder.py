"""Beats from band-passed codes: found once, in their place, not where none are, the same however the steps are cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pintsize.apps.ecg.beats.finder import Beat, BeatFinder, FinderRule, rule_of
from pintsize.errors import UserError

RULE = FinderRule()
RATE_HZ = RULE.rate_hz


def passed(at: list[int], samples: int, heights: list[int] | None = None) -> NDArray[np.int64]:
    """What a band-pass makes of QRS complexes whose energy is largest at `at`: a wave of 60 ms of 15 Hz each."""
    made = np.zeros(samples + 200, np.int64)
    wave = np.rint(100 * np.sin(np.linspace(0, 2 * np.pi, 12)))
    for place, height in zip(at, heights or [3] * len(at), strict=True):
        begin = place + RULE.delay - RULE.width - 5
        made[begin : begin + 12] += (height * wave).astype(np.int64)
    return made[:samples]


def found(codes: NDArray[np.int64], rule: FinderRule = RULE, step: int = 20) -> list[Beat]:
    finder, told = BeatFinder(rule), []
    for end in range(step, len(codes) + 1, step):
        told += finder.update(end / RATE_HZ, codes[end - step : end])
    return [*told, *finder.finish(len(codes) / RATE_HZ)]


def assert_near(beats: list[Beat], at: list[int]) -> None:
    assert len(beats) == len(at)
    assert max(abs(beat.sample - place) for beat, place in zip(beats, at, strict=True)) <= 3


def test_every_beat_is_found_once_and_in_its_place() -> None:
    at = list(range(120, 3600, 150))
    beats = found(passed(at, 3700))
    assert_near(beats, at)
    assert [beat.time_s for beat in beats] == pytest.approx([beat.sample / RATE_HZ for beat in beats])
    assert min(beat.score for beat in beats) >= 16


def test_a_beat_is_told_less_than_half_a_second_after_its_peak() -> None:
    codes, finder, late = passed(list(range(120, 3600, 150)), 3700), BeatFinder(RULE), []
    for end in range(20, len(codes) + 1, 20):
        late += [end / RATE_HZ - beat.time_s for beat in finder.update(end / RATE_HZ, codes[end - 20 : end])]
    assert max(late[3:]) < 0.5  # those of the first two seconds wait until the levels are known


def test_silence_and_a_little_noise_have_no_beats() -> None:
    assert found(np.zeros(3600, np.int64)) == []
    noise = np.random.default_rng(0).integers(-2, 3, 3600)
    assert found(noise) == []


def test_a_t_wave_is_no_beat() -> None:
    at = list(range(120, 3600, 150))
    waves = [place + 55 for place in at]
    codes = passed(at, 3700, [4] * len(at)) + passed(waves, 3700, [1] * len(at))
    assert_near(found(codes), at)


def test_a_small_beat_is_found_by_searching_back() -> None:
    at = list(range(120, 5400, 150))
    heights = [10] * len(at)
    heights[20] = 3  # under the threshold, above three quarters of it
    beats = found(passed(at, 5500, heights))
    assert 20 in [round((beat.sample - 120) / 150) for beat in beats]


def test_levels_follow_a_signal_that_becomes_small() -> None:
    at = list(range(120, 9000, 150))
    heights = [20 if place < 3000 else 5 for place in at]
    beats = found(passed(at, 9100, heights))
    assert sum(beat.sample > 5000 for beat in beats) == sum(place > 5000 for place in at)


def test_nothing_lasts_over_a_break() -> None:
    codes, finder = passed([400, 550, 700], 900), BeatFinder(RULE)
    finder.update(5.0, codes[:740])
    assert finder.update(5.1, None) == []
    assert finder.idle
    assert finder.finish(5.2) == []
    again = finder.update(10.0, passed(list(range(120, 1000, 150)), 1100))
    assert again[0].sample == pytest.approx(120, abs=3)  # counted from the break


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 400), st.integers(0, 2**32 - 1))
def test_steps_do_not_matter(step: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    codes = (random.normal(0, 1, 1600) * random.choice([1, 30, 300], 1600)).astype(np.int64)
    once, finder = BeatFinder(RULE).update(0.0, codes), BeatFinder(RULE)
    told = [b for begin in range(0, 1600, step) for b in finder.update(0.0, codes[begin : begin + step])]
    assert [(b.sample, b.score) for b in told] == [(b.sample, b.score) for b in once]


@pytest.mark.parametrize("facts", [{"width": 0}, {"width": "many"}, {"unknown": 3}])
def test_a_rule_that_is_none_is_refused(facts: dict[str, object]) -> None:
    with pytest.raises(UserError, match="beats"):
        rule_of(facts)

"""Hours are deterministic, hold the clips where they say, and nothing but noise in every sixth track."""

from __future__ import annotations

import numpy as np
import pytest

from pintsize.apps.sounds import RATE_HZ, Hours, Recipe, hours_of, loudness_db, share_of
from pintsize.errors import UserError

PLAIN = Recipe(speed=(1.0, 1.0), tilt=(0.0, 0.0), room_share=0.0, noise_share=0.0, loudness_db=(-12.0, -12.0))


def clips() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.normal(0, 0.1, 8000 + 400 * i).astype(np.float32) for i in range(5)]


def test_the_same_seed_gives_the_same_tracks() -> None:
    first, again = (list(Hours(clips(), 3, 7, track_s=4.0).tracks()) for _ in range(2))
    assert [len(t.clip) for t in first] == [4 * RATE_HZ] * 3
    assert all(np.array_equal(a.clip, b.clip) and a.said == b.said for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].clip, first[1].clip)


def test_clips_are_where_the_track_says_and_pauses_between() -> None:
    track = next(iter(Hours(clips(), 1, 0, PLAIN, 6.0).tracks()))
    assert len(track.said) > 3
    for one, following in zip(track.said, track.said[1:], strict=False):
        inside = track.clip[round(one.start_s * RATE_HZ) : round(one.end_s * RATE_HZ)]
        pause = track.clip[round(one.end_s * RATE_HZ) : round(following.start_s * RATE_HZ)]
        assert loudness_db(inside) > loudness_db(pause) + 10.0
        assert one.end_s - one.start_s == pytest.approx(len(clips()[one.index]) / RATE_HZ, abs=0.001)


def test_every_clip_comes_before_one_comes_twice() -> None:
    tracks = Hours(clips(), 4, 1, PLAIN, 6.0).tracks()
    order = [said.index for track in tracks for said in track.said]
    assert sorted(order[:5]) == [0, 1, 2, 3, 4]
    assert sorted(order[5:10]) == [0, 1, 2, 3, 4]


def test_every_sixth_track_is_noise_alone() -> None:
    said = [len(track.said) for track in Hours(clips(), 12, 0, track_s=2.0).tracks()]
    assert [n for n, count in enumerate(said) if not count] == [5, 11]


def test_the_time_asked_for_is_there_and_what_went_in_is_told() -> None:
    hours = hours_of(clips(), 0.05)
    assert (hours.count, hours.hours) == (3, pytest.approx(0.05))
    assert hours.distinct_s == pytest.approx(sum(map(len, clips())) / RATE_HZ)


def test_silence_alone_makes_no_hours() -> None:
    with pytest.raises(UserError, match="0 clips that sound"):
        hours_of([np.zeros(1600, np.float32)], 1.0)
    with pytest.raises(UserError):
        hours_of(clips(), 0.0)


def test_shares_are_even_and_belong_to_the_name() -> None:
    shares = [share_of(f"{n}.flac") for n in range(2000)]
    assert share_of("7.flac") == shares[7] != share_of("7.flac", "another division")
    np.testing.assert_allclose(np.histogram(shares, 4, (0, 1))[0], 500, atol=80)


def test_silent_clips_are_left_out_and_indices_stay_those_of_the_clips() -> None:
    given = [np.zeros(4000, np.float32), *clips()[:2]]
    said = [s.index for track in Hours(given, 2, 0, PLAIN, 6.0).tracks() for s in track.said]
    assert set(said) == {1, 2}


def test_people_in_the_background_say_nothing_of_the_clips_where_other_voices_are_given() -> None:
    beep = np.sin(2 * np.pi * 3000 * np.arange(8000) / RATE_HZ).astype(np.float32)
    hum = np.sin(2 * np.pi * 200 * np.arange(8000) / RATE_HZ).astype(np.float32)
    always = Recipe(babble_share=1.0, noise_share=0.0)
    noise_alone = list(Hours([beep], 6, 0, always, 2.0, voices=[hum]).tracks())[5].clip
    power = np.abs(np.fft.rfft(noise_alone)) ** 2
    at_hz = np.arange(len(power)) / 2.0
    assert power[at_hz < 400].sum() > 1000 * power[(at_hz > 2800) & (at_hz < 3200)].sum()

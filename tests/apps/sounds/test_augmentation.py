"""Varied copies are functions of their seed, and each kind of change does what it says."""

from __future__ import annotations

import numpy as np
import pytest

from pintsize.apps.sounds import (
    NOISES,
    RATE_HZ,
    Augmentation,
    Recipe,
    at_speed,
    babble,
    in_room,
    loudness_db,
    noise,
    room_response,
    with_loudness,
)
from pintsize.errors import UserError

UNCHANGED = Recipe(
    speed=(1.0, 1.0), tilt=(0.0, 0.0), loudness_db=None, room_share=0.0, noise_share=0.0, shift_s=(0.0, 0.0)
)


def voice(seed: int = 0, samples: int = 8000) -> np.ndarray:
    random = np.random.default_rng(seed)
    return with_loudness(random.standard_normal(samples).astype(np.float32), -20.0)


def test_the_same_seed_gives_the_same_copies() -> None:
    first, second = (Augmentation(3, babble=[voice(1)]) for _ in range(2))
    copies = [first.apply(voice()) for _ in range(5)]
    again = [second.apply(voice()) for _ in range(5)]
    assert all(np.array_equal(a, b) for a, b in zip(copies, again, strict=True))
    other = Augmentation(4, babble=[voice(1)]).apply(voice())
    assert len(other) != len(copies[0]) or not np.array_equal(other, copies[0])


def test_copies_are_finite_and_in_range() -> None:
    varied = Augmentation(0, Recipe(loudness_db=(-3.0, 0.0), snr_db=(0.0, 0.0), noise_share=1.0))
    for clip in (voice(), np.zeros(800, np.float32), voice(samples=1), np.zeros(0, np.float32)):
        copy = varied.apply(clip)
        assert copy.dtype == np.float32
        assert np.isfinite(copy).all()
        assert np.abs(copy).max(initial=0.0) <= 1.0


def test_a_recipe_of_nothing_changes_nothing() -> None:
    clip = voice()[:-1]
    np.testing.assert_allclose(Augmentation(0, UNCHANGED).apply(np.append(clip, 0)), clip, atol=1e-6)


def test_speed_moves_length_and_pitch() -> None:
    tone = np.sin(2 * np.pi * 400 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    fast = at_speed(tone, 1.25)
    assert len(fast) == pytest.approx(RATE_HZ / 1.25, abs=2)
    peak_hz = np.abs(np.fft.rfft(fast)).argmax() * RATE_HZ / len(fast)
    assert peak_hz == pytest.approx(500, abs=3)


def test_a_shift_fills_with_silence() -> None:
    recipe = Recipe(**{**UNCHANGED.__dict__, "shift_s": (0.1, 0.1)})
    moved = Augmentation(0, recipe).apply(voice())
    assert not moved[:1600].any()
    assert moved[1600:].any()


def test_noise_lies_as_far_below_as_asked() -> None:
    recipe = Recipe(**{**UNCHANGED.__dict__, "noise_share": 1.0, "babble_share": 0.0, "snr_db": (10.0, 10.0)})
    clip = voice()
    added = Augmentation(5, recipe).apply(clip)[:-1] - clip[: len(clip) - 2]
    assert loudness_db(added) == pytest.approx(-30.0, abs=0.7)


@pytest.mark.parametrize("kind", NOISES)
def test_every_noise_sounds_at_its_level_whatever_its_length(kind: str) -> None:
    for samples in (1, 17, 16_000):
        made = noise(kind, samples, np.random.default_rng(0))
        assert made.shape == (samples,)
        assert np.isfinite(made).all()
    assert loudness_db(noise(kind, 16_000, np.random.default_rng(0))) == pytest.approx(-26.0, abs=0.1)


def test_pink_noise_falls_with_the_frequency() -> None:
    power = np.abs(np.fft.rfft(noise("pink", 1 << 16, np.random.default_rng(0)))) ** 2
    octaves = [power[1 << i : 2 << i].mean() for i in range(6, 14)]
    falls = -np.diff(np.log2(octaves))
    np.testing.assert_allclose(falls.mean(), 1.0, atol=0.1)


def test_babble_is_made_of_the_voices() -> None:
    made = babble([voice(1), voice(2, 300)], 5000, np.random.default_rng(0))
    assert made.shape == (5000,)
    assert loudness_db(made) == pytest.approx(-26.0, abs=0.1)
    with pytest.raises(UserError, match="other speech"):
        babble([], 100, np.random.default_rng(0))


def test_a_room_rings_after_the_direct_sound_and_delays_nothing() -> None:
    response = room_response(np.random.default_rng(0), 0.3, 6.0)
    assert response[0] == 1.0
    assert (response[1:] ** 2).sum() == pytest.approx(10**-0.6, rel=0.01)
    click = np.zeros(4000, np.float32)
    click[100] = 1.0
    wet = in_room(click, response)
    assert len(wet) == len(click)
    assert np.abs(wet[:100]).max() < 1e-6
    assert np.abs(wet).argmax() == 100
    assert (wet[101:] ** 2).sum() > 0


@pytest.mark.parametrize(
    "wrong", [{"speed": (1.2, 0.8)}, {"speed": (0.0, 1.0)}, {"noise_share": 1.5}, {"tilt": (-2, 0)}]
)
def test_a_recipe_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UserError):
        Recipe(**wrong)  # type: ignore[arg-type]


def test_another_kind_of_noise_is_refused() -> None:
    with pytest.raises(UserError, match="white, pink"):
        noise("green", 10, np.random.default_rng(0))

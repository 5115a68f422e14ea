from __future__ import annotations

import numpy as np
import torch

from pintsize import frontend
from pintsize.apps.assistant.phrases.features import Features, power_spectra
from pintsize.apps.assistant.phrases.variation import Spectra, Variation, Variety, masked
from pintsize.apps.assistant.phrases.window import centred
from pintsize.apps.sounds import as_codes

STILL = Variety(
    pace=0.0, shift=0.0, tilt=0.0, curve=0.0, noise=(60.0, 60.0), gain=0.0, room_share=0.0, clear_share=1.0
)


def chirp(seconds: float = 0.8) -> np.ndarray:
    times_s = np.arange(round(seconds * 16_000)) / 16_000
    return (0.1 * np.sin(2 * np.pi * (300 + 1500 * times_s) * times_s)).astype(np.float32)


def copies_of(variety: Variety, seed: int = 0, count: int = 6) -> torch.Tensor:
    features = Features()
    spectra = Spectra.of([power_spectra(chirp(), features.bins)], features)
    return Variation(spectra, features, seed, variety).copies(np.zeros(count, np.int64)).float()


def test_a_copy_that_is_not_varied_is_what_the_front_end_gives() -> None:
    features = Features()
    real = frontend.features(features.front_end(), as_codes(centred(chirp(), features.samples))[None])[0]
    made = copies_of(STILL, count=1)[0].numpy()
    inside = slice(12, -12)
    loud = real[inside] > -20
    assert loud.mean() > 0.05
    assert np.abs(made[inside] - real[inside])[loud].mean() < 1.0  # of 3 dB: frames lie up to 4 ms apart


def test_the_same_seed_gives_the_same_copies_and_another_one_others() -> None:
    first, same, other = copies_of(Variety()), copies_of(Variety()), copies_of(Variety(), seed=1)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])


def test_a_shorter_vocal_tract_has_its_energy_higher() -> None:
    features = Features()
    tone_bin = np.zeros(features.bins, np.float32)
    tone_bin[30] = 1.0
    places = [int((tone_bin @ features.triangles(warp)).argmax()) for warp in (0.8, 1.0, 1.25)]
    assert places[0] > places[1] > places[2]


def test_masks_hide_at_most_two_runs_of_frames() -> None:
    x = torch.ones(50, 61, 4)
    hidden = (masked(x, torch.Generator().manual_seed(0), 6) == 0).all(2)
    assert 0 < hidden.sum(1).max() <= 12
    assert bool((hidden.sum(1) > 0).any())

"""A stream of steps answers what windows do, and learning sees what the stream will."""

from __future__ import annotations

import numpy as np
import torch

from pintsize.apps.wearable.activity.learning import (
    DELAY,
    UNKNOWN,
    Schedule,
    decided,
    drawn,
    learn,
    material_of,
)
from pintsize.apps.wearable.activity.network import STRIDE, WINDOW, Network, OfWindow, Teacher
from pintsize.apps.wearable.activity.recordings import Recording
from pintsize.apps.wearable.activity.variation import Variation
from pintsize.apps.wearable.activity.windows import copies_of, windows_of

STILL = Variation(turn=0.0, mirror=0.0, vigour=0.0, noise=0.0, warp=0.0)


def recording(samples: int = 400, seed: int = 0) -> Recording:
    """Two things are done, one after the other, with a different swing each."""
    random = np.random.default_rng(seed)
    doing = np.repeat([0, 1], [samples // 2, samples - samples // 2])
    swing = np.sin(np.arange(samples) * np.where(doing == 0, 0.1, 0.9))[:, None]
    x = 2000 * swing * np.array([1, 1, 0, 0, 1, 1]) + random.normal(0, 100, (samples, 6))
    return Recording("a", "watch", np.rint(x).astype(np.int16), doing)


def test_windows_hold_what_the_stream_has_seen() -> None:
    torch.manual_seed(0)
    network = Network(2, 8).eval()
    given = recording()
    stream = decided(network, given)
    x, y = windows_of([given])
    assert x.shape[1:] == (6, WINDOW)
    with torch.no_grad():
        alone = OfWindow(network)(torch.from_numpy(x)).numpy()
    ends = np.arange(100, len(given.samples) + 1, 10)
    np.testing.assert_allclose(alone, stream[ends // STRIDE - 1], atol=1e-5)
    np.testing.assert_array_equal(y, given.doing[ends - DELAY])


def test_copies_leave_silence_silent() -> None:
    x, _ = windows_of([recording()])
    made = copies_of(x, 1, Variation(), 0)
    assert len(made) == 2 * len(x)
    np.testing.assert_array_equal(made[: len(x)], x)
    assert not made[len(x)][:, :60].any()
    assert made[len(x)][:, -50:].all()


def test_what_is_learnt_is_what_was_done_a_while_ago() -> None:
    material = material_of([recording(700)], 0.0)
    x, y = drawn(material, 3, STILL, torch.Generator().manual_seed(3))
    assert x.shape[2] // STRIDE - (WINDOW // STRIDE - 1) == y.shape[1]
    assert (y[:, : DELAY // STRIDE - 1] == UNKNOWN).all()
    known = y[0][y[0] != UNKNOWN]
    assert set(known.tolist()) == {0, 1}
    assert not x[:, :, : WINDOW - STRIDE].any()


def test_it_learns_from_labels_and_from_a_teacher() -> None:
    torch.manual_seed(0)
    material = material_of([recording(700, seed) for seed in range(4)], 0.0)
    short = Schedule(steps=30, batch=3)
    first, second = Network(2, 8), Network(2, 8)
    learn(first, material, STILL, short, 0, lambda line: None)
    learn(second, material, STILL, short, 1, lambda line: None, Teacher(first).eval())
    unseen = recording(700, 9)
    for network in (first, second):
        told = decided(network, unseen).argmax(1)[40:]
        right = unseen.doing[STRIDE - 1 :: STRIDE][40 : 40 + len(told)]
        assert (told == right).mean() > 0.8

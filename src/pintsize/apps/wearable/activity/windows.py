"""Recordings cut into windows, as `pintsize.shrink` takes them: what the stream has in it at the end of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from pintsize.apps.wearable.activity.learning import DELAY, UNIT
from pintsize.apps.wearable.activity.network import WINDOW
from pintsize.apps.wearable.activity.recordings import Recording
from pintsize.apps.wearable.activity.truth import JUDGED
from pintsize.apps.wearable.activity.variation import Variation, varied

#: samples from one window to the next
STEP = 10


def windows_of(recordings: Sequence[Recording]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(n, 6, WINDOW) in the networks' units, silence before the signal, and (n,) labels."""
    found: list[tuple[NDArray[np.float32], np.int64]] = []
    for recording in recordings:
        x = np.pad(recording.samples.T.astype(np.float32) / UNIT, ((0, 0), (WINDOW, 0)))
        ends = range(JUDGED, len(recording.samples) + 1, STEP)
        found += [(x[:, end : end + WINDOW], recording.doing[end - DELAY]) for end in ends]
    return np.stack([x for x, _ in found]), np.array([y for _, y in found], np.int64)


def copies_of(x: NDArray[np.float32], count: int, how: Variation, seed: int) -> NDArray[np.float32]:
    """The windows as they are, and varied `count` times; silence stays silence."""
    random = torch.Generator().manual_seed(seed)
    given = torch.from_numpy(x)
    silent = (given == 0).all(1, keepdim=True)
    made = [varied(given, how, random).masked_fill(silent, 0.0).numpy() for _ in range(count)]
    return np.concatenate([x, *made])

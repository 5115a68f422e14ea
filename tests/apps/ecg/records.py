"""Annotated records that are drawn, in the folder that the evaluations read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pintsize.apps.ecg.beats.records import FOLDER, RATE_HZ
from tests.apps.ecg.hearts import counts, heart


def write_records(data: Path, split: dict[str, list[int]], beats: Sequence[tuple[str, float]]) -> Path:
    """A record for each number that is in the split, all with these beats (class, seconds since the one before)."""
    folder = data / FOLDER
    folder.mkdir(parents=True)
    (folder / "splits.json").write_text(json.dumps(split))
    at = np.rint(np.cumsum([interval for _, interval in beats]) * RATE_HZ).astype(np.int32)
    for number in {number for part in split.values() for number in part}:
        np.savez(
            folder / f"{number}.npz",
            ecg=counts(heart(beats, seed=number)),
            fs=RATE_HZ,
            beat_pos=at,
            beat_class=np.array([kind for kind, _ in beats]),
        )
    return data

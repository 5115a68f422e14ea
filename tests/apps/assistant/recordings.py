"""Recordings of the data sets, where they are there, as the assistant hears them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pintsize.apps.assistant.pieces import RATE_HZ
from pintsize.apps.sounds import as_codes, read_clip
from tests.apps.assistant.tones import room

DATA = Path(__file__).parents[4] / "shared" / "data"
WAKE, DIGITS, ORDERS = "wakewords_picovoice", "speech_digits_fsdd", "spoken_orders_picovoice"


def recorded(name: str, **wanted: str) -> list[NDArray[np.int16]]:
    """The clips of a data set whose columns say so, in the order of its table; skips where it is not there."""
    folder = DATA / name
    if not (folder / "labels.csv").is_file():
        pytest.skip(f"{name} is not in {DATA}")
    rows = csv.DictReader((folder / "labels.csv").read_text().splitlines())
    files = [row["file"] for row in rows if all(row.get(key) == value for key, value in wanted.items())]
    return [as_codes(read_clip(folder / file)) for file in files]


def session(*parts: NDArray[np.int16] | float) -> NDArray[np.int16]:
    """(n,): recordings and pauses in seconds, in a very quiet room."""
    made = [np.zeros(round(p * RATE_HZ), np.int16) if isinstance(p, float) else p for p in parts]
    joined = np.concatenate(made).astype(np.int32)
    return np.clip(joined + room(len(joined) / RATE_HZ, level=5)[: len(joined)], -32768, 32767).astype(
        np.int16
    )

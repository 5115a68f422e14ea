"""The recorded orders, divided by a hash of what names their recording: nothing is chosen on the test part."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.assistant.orders.menu import normal
from pintsize.apps.sounds import labelled_clips, share_of
from pintsize.errors import DataError

FOLDER = "spoken_orders_picovoice"
#: up to these shares
TEST, VALIDATION = 0.3, 0.4
Part = Literal["train", "validation", "test"]


@dataclass(frozen=True, eq=False)
class Recorded:
    """A recorded order, float32 (n,) at 16 kHz, and its slots."""

    clip: NDArray[np.float32]
    slots: dict[str, str]


def recorded(data: Path, part: Part) -> list[Recorded]:
    """Raises DataError where the data is not there or its slots cannot be read."""
    found = []
    for labelled in labelled_clips(data / FOLDER, "slots"):
        if part_of(labelled.origin) == part:
            try:
                slots = json.loads(labelled.label)
            except json.JSONDecodeError as error:
                raise DataError(f"{data / FOLDER}: slots {labelled.label!r} are no JSON: {error}") from error
            found.append(Recorded(labelled.clip, {name: normal(value) for name, value in slots.items()}))
    return found


def part_of(source: str) -> Part:
    share = share_of(source, "orders")
    return "test" if share < TEST else "validation" if share < VALIDATION else "train"

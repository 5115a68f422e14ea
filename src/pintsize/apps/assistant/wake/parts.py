"""Which clips training sees, which choose the thresholds, and which are kept for the evaluation alone.

A clip belongs to one part, by the data set's own split or by a hash of its recording's name; no part shares a clip.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pintsize.apps.sounds import Labelled, labelled_clips, share_of
from pintsize.errors import DataError

Part = Literal["train", "validation", "test"]

WORDS, DIGITS, ORDERS = "wakewords_picovoice", "speech_digits_fsdd", "spoken_orders_picovoice"
#: of a split "train" so much is for validation; data without a split is divided at these
VALIDATION_SHARE = 0.18
DIVIDED_AT = (0.5, 0.65)


@dataclass(frozen=True)
class Material:
    """One part: clips of the words, and clips of other speech (none of the words is said in them)."""

    words: tuple[Labelled, ...]
    others: tuple[Labelled, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(sorted({clip.label for clip in self.words}))

    @property
    def minutes(self) -> tuple[float, float]:
        """Of words and of other speech, as recorded."""
        return _minutes(self.words), _minutes(self.others)


def part_of(split: str, origin: str) -> Part:
    """The part of a clip: "train" is divided in two, every other split is kept; without a split by the hash."""
    share = share_of(origin)
    if split == "train":
        return "validation" if share < VALIDATION_SHARE else "train"
    if split:
        return "test"
    first, second = DIVIDED_AT
    return "train" if share < first else "validation" if share < second else "test"


def public_material(data: Path, *parts: Part) -> tuple[Material, ...]:
    """The parts asked for, of the three public data sets in the folder `data`.

    Words of wakewords_picovoice; digits and spoken orders are the other speech. Raises DataError where they are not.
    """
    missing = [name for name in (WORDS, DIGITS, ORDERS) if not (data / name).is_dir()]
    if missing:
        raise DataError(f"{data} has no {', '.join(missing)}: wake words are measured on these data sets")
    words = labelled_clips(data / WORDS)
    others = [*labelled_clips(data / DIGITS), *labelled_clips(data / ORDERS, "intent")]
    return tuple(Material(_of(words, part), _of(others, part)) for part in parts)


def _of(clips: Iterable[Labelled], part: Part) -> tuple[Labelled, ...]:
    return tuple(c for c in clips if part_of(c.split, c.origin) == part)


def _minutes(clips: Sequence[Labelled]) -> float:
    return sum(len(c.clip) for c in clips) / 16_000 / 60.0

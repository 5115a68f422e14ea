"""Beats of annotated records as what the classifier takes, with a margin on either side to vary them in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.ecg.beats.finder import Beat
from pintsize.apps.ecg.beats.records import RATE_HZ, Record
from pintsize.apps.ecg.classes.context import PatientContext
from pintsize.apps.ecg.classes.figures import LABELS

#: samples of a window before the R peak, and from it on; 0.4 s each
BEFORE, AFTER = 72, 72
#: samples more on either side
MARGIN = 8


@dataclass(frozen=True, eq=False)
class Examples:
    """n beats, codes as `PatientContext.rows` gives them.

    beat, typical: (n, BEFORE + AFTER + 2·MARGIN) int8; rhythm: (n, RHYTHM) int8
    kind: (n,) indices into LABELS; patient: (n,) names
    """

    beat: NDArray[np.int8]
    typical: NDArray[np.int8]
    rhythm: NDArray[np.int8]
    kind: NDArray[np.int64]
    patient: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.kind)

    def take(self, indices: NDArray[np.int64] | NDArray[np.bool_]) -> Examples:
        """Those at these indices, or where this mask is true."""
        return Examples(
            self.beat[indices], self.typical[indices], self.rhythm[indices], self.kind[indices],
            self.patient[indices],
        )  # fmt: skip

    def of(self, patients: Sequence[str]) -> Examples:
        return self.take(np.isin(self.patient, list(patients)))


def examples_of(records: Iterable[Record]) -> Examples:
    """All beats of these records that have a class of LABELS and lie inside, once the context is ready for them."""
    parts = [_of_record(record) for record in records]
    return Examples(*(np.concatenate([getattr(part, name) for part in parts]) for name in _NAMES))


_NAMES = ("beat", "typical", "rhythm", "kind", "patient")


def _of_record(record: Record) -> Examples:
    before, after = BEFORE + MARGIN, AFTER + MARGIN
    context = PatientContext(before, after, RATE_HZ)
    rows: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]] = []
    kinds: list[int] = []
    for at, kind in zip(record.at.tolist(), record.kinds.tolist(), strict=True):
        context.update(Beat(at / RATE_HZ, at, 16))
        if at < before or at + after > len(record.samples):
            continue
        window = record.samples[at - before : at + after]
        if context.ready and kind in LABELS:
            rows.append(context.rows(window))
            kinds.append(LABELS.index(kind))
        context.learn(window)
    beat, typical, rhythm = (np.array(column, np.int8) for column in zip(*rows, strict=True))
    return Examples(beat, typical, rhythm, np.array(kinds, np.int64), np.full(len(kinds), record.name))

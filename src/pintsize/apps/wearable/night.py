"""A night's sleep from a file of features, an epoch of 30 s a row, as the data set that the model learnt from has them.

The features' names were never published, so they cannot be computed from a watch's raw signals here: sleep is told of
such files alone.

night.npz  accel (epochs, 21), bcg (epochs, 11), clock (epochs, 3)
night.csv  35 columns of numbers in that order, and perhaps a column of times
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.wearable.day import Span
from pintsize.apps.wearable.wearer import weights_of
from pintsize.errors import DataError
from pintsize.stream.decision import Decision
from pintsize.stream.sources.csv_table import read_table
from pintsize.stream.sources.described import shown
from pintsize.stream.sources.written_times import is_time_name, read_times

EPOCH_S = 30.0
_ARRAYS = (("accel", 21), ("bcg", 11), ("clock", 3))
COLUMNS = sum(width for _, width in _ARRAYS)
WAKE = "wake"
#: two epochs further apart than this are not neighbours
_HOLE_S = 1.5 * EPOCH_S


@dataclass(frozen=True, eq=False)
class Features:
    """features: (epochs, 35), NaN where a cell is no number; times_s: (epochs,) when each begins"""

    features: NDArray[np.float64]
    times_s: NDArray[np.float64]


@dataclass(frozen=True)
class Slept:
    """Of one night, minutes; None where no epoch is known. asleep: share of the known time; spans: of equal stages"""

    spans: tuple[Span, ...]
    minutes: dict[str, float]
    unknown_minutes: float
    asleep: float | None


def read_night(path: Path) -> Features:
    """Raises DataError for a file that is not there or has other columns."""
    where = shown(path)
    if not path.is_file():
        raise DataError(f"{where} is not there: a night is an .npz or .csv of features")
    return _of_npz(path, where) if path.suffix.lower() == ".npz" else _of_table(path, where)


def sleep_of(path: Path, weights: Path | None = None) -> Slept:
    """What the shipped model, or the user's own, makes of a night. Holes in its times part it."""
    from pintsize.apps.wearable.sleep import load_sleep  # days without a night do without

    night, model = read_night(path), load_sleep(weights_of(weights, "sleep"))
    spans: list[Span] = []
    edges = [0, *(np.flatnonzero(_parted(night.times_s)) + 1).tolist(), len(night.times_s)]
    for first, stop in pairwise(edges):
        told = model.score(night.features[first:stop])
        for at, (stage, reason) in enumerate(zip(told.stages, told.reasons, strict=True), first):
            _add(spans, float(night.times_s[at]), stage, reason or None)
    return _summary(spans)


def decisions(slept: Slept) -> list[Decision]:
    """A decision whenever the stage changes, at the time it begins."""
    return [
        Decision(span.start_s, "sleep", span.label, reason=None if span.label else span.reason or "not known",
                 start_s=span.start_s)
        for span in slept.spans
    ]  # fmt: skip


def _parted(times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    steps = np.diff(times_s)
    return (steps <= 0) | (steps > _HOLE_S)


def _add(spans: list[Span], start_s: float, stage: str | None, reason: str | None) -> None:
    end_s = start_s + EPOCH_S
    if spans and spans[-1].label == stage and abs(spans[-1].end_s - start_s) < EPOCH_S / 2:
        spans[-1] = Span(spans[-1].start_s, end_s, stage, reason)
    else:
        spans.append(Span(start_s, end_s, stage, reason))


def _summary(spans: Sequence[Span]) -> Slept:
    minutes: dict[str, float] = {}
    unknown = 0.0
    for span in spans:
        length = (span.end_s - span.start_s) / 60
        if span.label is None:
            unknown += length
        else:
            minutes[span.label] = minutes.get(span.label, 0.0) + length
    known = sum(minutes.values())
    asleep = None if not known else 1 - minutes.get(WAKE, 0.0) / known
    return Slept(tuple(spans), minutes, unknown, asleep)


def _of_npz(path: Path, where: str) -> Features:
    try:
        with np.load(path, allow_pickle=False) as content:
            arrays = {name: content[name] for name, _ in _ARRAYS if name in content.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{where} is not an NPZ of numbers: {error}") from error
    parts = [arrays.get(name, np.zeros(0)) for name, _ in _ARRAYS]
    lengths = {len(part) for part in parts}
    widths = [part.shape[1] if part.ndim == 2 else 0 for part in parts]
    if widths != [width for _, width in _ARRAYS] or len(lengths) != 1:
        said = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "none of them"
        raise DataError(
            f"{where} has {said}; due are accel (epochs, 21), bcg (epochs, 11), clock (epochs, 3)"
        )
    features = np.concatenate(parts, axis=1).astype(np.float64)
    return Features(features, EPOCH_S * np.arange(len(features), dtype=np.float64))


def _of_table(path: Path, where: str) -> Features:
    table = read_table(path, where)
    timed = [at for at, name in enumerate(table.names) if is_time_name(name)]
    others = [at for at in range(len(table.names)) if at not in timed]
    if len(others) != COLUMNS:
        raise DataError(
            f"{where} has {len(others)} columns besides its times; due are the {COLUMNS} features of each epoch of 30 s"
            ": 21 of the accelerometer, 11 of the ballistocardiogram, 3 of the clock"
        )
    columns = [[table.number(cell) for cell in table.columns[at]] for at in others]
    features = np.array(columns, np.float64).T
    times_s = EPOCH_S * np.arange(len(features), dtype=np.float64)
    if timed:
        times_s = read_times(table.columns[timed[0]], table.names[timed[0]], where, table.number)
    return Features(features, times_s)

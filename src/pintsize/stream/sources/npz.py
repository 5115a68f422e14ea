"""NPZ: arrays of samples, with their rate or their times beside them. Pickled objects are not read."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import DataError
from pintsize.stream.block import Samples
from pintsize.stream.convert import INT16_FULL_SCALE
from pintsize.stream.sources.described import Description, listed, own_rate_hz, shown
from pintsize.stream.sources.options import SourceOptions
from pintsize.stream.sources.replay import Replay, Timeline, held
from pintsize.stream.sources.timeline import timeline

_RATES = ("rate_hz", "fs", "sample_rate", "sampling_rate", "samplerate", "sr", "rate", "frequency", "freq")
_TIMES = ("time_s", "times_s", "time", "times", "t", "timestamps", "timestamp")
#: arrays this many times shorter than the longest are not samples beside it but labels
_SHORTER = 4


def open_npz(path: Path, options: SourceOptions) -> Replay:
    """Arrays of one length, (n,) or (n, channels), side by side: int16 where all are, else float32.

    Which arrays: those that `channels` names, else the longest. Raises DataError where that is not plain, where an
    array named is not there, and for what is not an NPZ of numbers.
    """
    where = shown(path)
    arrays = _arrays(path, where)
    chosen = _chosen(arrays, options, where)
    columns = [(name, arrays[name].reshape(len(arrays[name]), -1)) for name in chosen]
    names = tuple(label for name, column in columns for label in _labels(name, column.shape[1]))
    short = all(column.dtype == np.int16 for _, column in columns)
    samples: Samples = np.concatenate([column for _, column in columns], axis=1)
    samples = samples if short else samples.astype(np.float32)
    found_hz, line = _timing(arrays, len(samples), options, where)
    rate_hz = own_rate_hz(found_hz, options, where)
    full_scale = options.full_scale or (INT16_FULL_SCALE if short else 1.0)
    limits = (-INT16_FULL_SCALE, INT16_FULL_SCALE - 1) if short else None
    by_name = not isinstance(options.channels, str)
    return held(
        Description(where, rate_hz, names, full_scale, limits, picked=by_name), samples, options, line
    )


def _arrays(path: Path, where: str) -> dict[str, NDArray[np.generic]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            if not hasattr(content, "files"):
                raise DataError(f"{where} is a single array; save it with np.savez(…, fs=rate)")
            return {name: content[name] for name in content.files}
    except (ValueError, zipfile.BadZipFile, OSError, EOFError, KeyError) as error:
        raise DataError(f"{where} is not an NPZ of numbers: {error}") from error


def _chosen(arrays: dict[str, NDArray[np.generic]], options: SourceOptions, where: str) -> list[str]:
    numeric = {
        name: len(array)
        for name, array in arrays.items()
        if array.ndim in (1, 2) and array.dtype.kind in "iuf" and name not in _RATES + _TIMES and array.size
    }
    if not numeric:
        raise DataError(f"{where} has no arrays of samples; it has {listed(list(arrays))}")
    if not isinstance(options.channels, str):
        return _asked(numeric, options.channels, where)
    longest = max(numeric.values())
    doubtful = [name for name, length in numeric.items() if length != longest and length * _SHORTER > longest]
    if doubtful:
        raise DataError(
            f"{where} has arrays of several lengths; say which in channels: {listed(list(numeric))}"
        )
    return [name for name, length in numeric.items() if length == longest]


def _asked(numeric: dict[str, int], channels: tuple[int | str, ...], where: str) -> list[str]:
    """The arrays named, which must be of one length."""
    names = list(numeric)
    for channel in channels:
        if channel not in names and not (isinstance(channel, int) and 0 <= channel < len(names)):
            raise DataError(f"{where} has no array {channel!r}; it has {listed(names)}")
    asked = [names[channel] if isinstance(channel, int) else channel for channel in channels]
    if len({numeric[name] for name in asked}) > 1:
        lengths = ", ".join(f"{name}: {numeric[name]}" for name in asked)
        raise DataError(f"{where}: the arrays asked for are not of one length ({lengths})")
    return asked


def _labels(name: str, columns: int) -> list[str]:
    return [name] if columns == 1 else [f"{name}[{column}]" for column in range(columns)]


def _timing(
    arrays: dict[str, NDArray[np.generic]], length: int, options: SourceOptions, where: str
) -> tuple[float | None, Timeline | None]:
    """The rate, from an entry that says it or from times of the samples' length; None where neither is there."""
    for name in _TIMES:
        if name in arrays and arrays[name].shape == (length,) and arrays[name].dtype.kind in "iuf":
            return timeline(arrays[name].astype(np.float64), where, options.source_rate_hz)
    for name in _RATES:
        if name in arrays and arrays[name].size == 1 and arrays[name].dtype.kind in "iuf":
            return float(arrays[name].reshape(-1)[0].item()), None
    return None, None

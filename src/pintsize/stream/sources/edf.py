"""EDF, EDF+ and BDF through pyedflib: values in their physical units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import DataError
from pintsize.stream.sources.described import Description, common_limits, distinct, own_rate_hz, picked, shown
from pintsize.stream.sources.library import library
from pintsize.stream.sources.options import SourceOptions
from pintsize.stream.sources.replay import Replay


def open_edf(path: Path, options: SourceOptions) -> Replay:
    """The signals asked for as float32. full_scale is 1 of their unit, unless it is said.

    Raises DataError for what is no EDF, is cut short or has breaks in it, and for signals of several rates: then
    `channels` must name those of one rate.
    """
    where = shown(path)
    reader = _reader(path, where)
    try:
        return _replay(reader, where, options)
    except BaseException:
        reader.close()
        raise


def _reader(path: Path, where: str) -> Any:
    library_ = library("pyedflib")
    try:
        return library_.EdfReader(str(path))
    except (OSError, UnicodeError) as error:
        reason = str(error).removeprefix(str(path)).strip(": ")
        raise DataError(f"{where} cannot be read as EDF: {reason}") from error


def _replay(reader: Any, where: str, options: SourceOptions) -> Replay:
    labels = distinct(reader.getSignalLabels())
    if not labels:
        raise DataError(f"{where} has no signals, only annotations")
    chosen = picked(options, labels, where)
    kept = tuple(range(len(labels))) if chosen is None else chosen
    rates_hz = {labels[at]: float(reader.getSampleFrequency(at)) for at in kept}
    if len(set(rates_hz.values())) > 1:
        said = ", ".join(f"{name} {rate_hz:g} Hz" for name, rate_hz in rates_hz.items())
        raise DataError(f"{where} has signals of several rates; name those of one rate in channels ({said})")
    rate_hz = own_rate_hz(next(iter(rates_hz.values())), options, where)
    length = int(min(reader.getNSamples()[at] for at in kept))
    if not length:
        raise DataError(f"{where} has no samples")
    ends = [sorted((reader.getPhysicalMinimum(at), reader.getPhysicalMaximum(at))) for at in kept]
    limits = common_limits([(float(low), float(high)) for low, high in ends])
    description = Description(
        where, rate_hz, tuple(rates_hz), options.full_scale or 1.0, limits, picked=chosen is not None
    )

    def read(first: int, stop: int) -> NDArray[np.float32]:
        columns = [reader.readSignal(at, first, stop - first) for at in kept]
        return np.stack(columns, axis=1).astype(np.float32)

    return Replay(description, read, length, options.block_samples(rate_hz), close=reader.close)

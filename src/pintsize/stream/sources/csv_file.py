"""CSV files: the numeric columns are the channels, times are optional."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import DataError
from pintsize.stream.sources.csv_table import Table, read_table
from pintsize.stream.sources.described import Description, listed, own_rate_hz, picked, shown
from pintsize.stream.sources.options import SourceOptions
from pintsize.stream.sources.replay import Replay, held
from pintsize.stream.sources.timeline import timeline
from pintsize.stream.sources.written_times import is_time_name, is_time_text, read_times

#: columns that only count the rows; "?" is one without a name
_COUNTERS = {"?", "index", "sample", "sample #", "sample_index", "#", "row", "unnamed: 0", "no", "no."}


def open_csv(path: Path, options: SourceOptions) -> Replay:
    """The numeric columns as channels, float32. Cells that are no numbers become NaN, which `health` tells of.

    The rate comes from the times, from a line such as `Sample Rate,512 Hz`, or from source_rate_hz.
    Raises DataError for a file without numbers, a ragged one, and one that says no rate.
    """
    where = shown(path)
    table = read_table(path, where)
    timed = _time_columns(table)
    names, samples = _channels(table, timed, options, where)
    found_hz, line = table.rate_hz, None
    if timed:
        found_hz, line = timeline(_times_s(table, timed, where), where, options.source_rate_hz)
    rate_hz = own_rate_hz(found_hz, options, where)
    chosen = not isinstance(options.channels, str)
    description = Description(where, rate_hz, names, options.full_scale or 1.0, picked=chosen)
    broken = f"{where} is cut short within its last row, after {len(samples)} samples" if table.cut else None
    return held(description, samples, options, line, broken)


def _is_written(table: Table, at: int) -> bool:
    first = table.columns[at][0]
    return bool(np.isnan(table.number(first))) and is_time_text(first)


def _time_columns(table: Table) -> list[int]:
    """Columns with a name of times; without one, the first column where times are written out."""
    named = [at for at, name in enumerate(table.names) if is_time_name(name)]
    return named or ([0] if _is_written(table, 0) else [])


def _times_s(table: Table, timed: list[int], where: str) -> NDArray[np.float64]:
    """The times in seconds; a date may stand in a column of its own, before that of the time."""
    cells, name = table.columns[timed[0]], table.names[timed[0]]
    if len(timed) > 1 and name.casefold() == "date" and _is_written(table, timed[0]):
        cells = [f"{day} {time}" for day, time in zip(cells, table.columns[timed[1]], strict=True)]
    return read_times(cells, name, where, table.number)


def _channels(
    table: Table, timed: list[int], options: SourceOptions, where: str
) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    offered = [at for at in range(len(table.names)) if at not in timed and not _counts_rows(table, at)]
    values = {at: np.array([table.number(cell) for cell in table.columns[at]]) for at in offered}
    numeric = [at for at in offered if np.isfinite(values[at]).any()]
    if not numeric:
        raise DataError(f"{where} has no column of numbers besides its times; it has {listed(table.names)}")
    names = [table.names[at] for at in numeric]
    chosen = picked(options, names, where)
    kept = range(len(numeric)) if chosen is None else chosen
    samples = np.stack([values[numeric[at]] for at in kept], axis=1)
    return tuple(names[at] for at in kept), samples.astype(np.float32)


def _counts_rows(table: Table, at: int) -> bool:
    return table.names[at].casefold() in _COUNTERS and table.columns[at][:3] in (
        ["0", "1", "2"],
        ["1", "2", "3"],
    )

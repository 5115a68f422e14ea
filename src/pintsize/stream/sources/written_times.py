"""Times as they stand in exported tables, in seconds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import DataError

#: names of columns that hold times, without case, unit and punctuation
_TIME_NAMES = {
    "time", "times", "timestamp", "timestamps", "t", "datetime", "date", "elapsedtime", "elapsed", "seconds", "sec",
    "secs", "milliseconds", "millis", "ms", "unixtime", "unix", "epoch", "localtime", "utc", "recordingtime",
    "startdate", "enddate", "sensortimestamp", "phonetimestamp", "timeofday", "datetimeutc", "secondselapsed",
}  # fmt: skip
#: unit in the name → its seconds
_UNITS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "millis": 1e-3, "milliseconds": 1e-3, "s": 1.0, "sec": 1.0,
    "secs": 1.0, "seconds": 1.0, "min": 60.0, "minutes": 60.0, "h": 3600.0, "hours": 3600.0,
}  # fmt: skip
#: since 1970: values from here on are in this unit
_EPOCHS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3))
_WRITTEN = (
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y/%m/%d %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y",
)  # fmt: skip
_CLOCK = re.compile(r"^(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)$")
_ONE_DIGIT_HOUR = re.compile(r"([ T])(\d:)")
_DAY_S = 86400.0


def split_unit(name: str) -> tuple[str, str]:
    """`time [ms]`, `time_ms` and `Time (ms)` as ("time", "ms"); no unit is ""."""
    words = [word for word in re.split(r"[^a-zµ#]+", name.casefold()) if word]
    if len(words) > 1 and words[-1] in _UNITS:
        return "".join(words[:-1]), words[-1]
    return "".join(words), ""


def is_time_name(name: str) -> bool:
    """Whether a column's name says that it holds times; `T1` is a temperature."""
    return split_unit(name)[0] in _TIME_NAMES and not re.search(r"\d", name)


def is_time_text(cell: str) -> bool:
    """Whether a cell is a written time rather than a number."""
    return _seconds_of(cell) is not None


def read_times(
    cells: Sequence[str], name: str, where: str, number: Callable[[str], float]
) -> NDArray[np.float64]:
    """One column of times, numbers or written ones, as seconds. Times of day go on past midnight.

    Dates are taken as UTC, where none is said; day and month with slashes are month first, unless that is no date.
    Raises DataError for a time that cannot be read.
    """
    numbers = np.array([number(cell) for cell in cells])
    if np.isfinite(numbers).mean() > 0.5:
        return numbers * _unit_s(name, numbers)
    seconds: list[float] = []
    for line, cell in enumerate(cells):
        second = _seconds_of(cell)
        if second is None:
            raise DataError(f"{where}: the time {cell!r} of sample {line} cannot be read")
        seconds.append(second)
    return _past_midnight(np.array(seconds)) if _CLOCK.match(_bare(cells[0])) else np.array(seconds)


def _unit_s(name: str, numbers: NDArray[np.float64]) -> float:
    base, unit = split_unit(name)
    if unit or base in _UNITS:
        return _UNITS[unit or base]
    largest = float(np.nanmax(np.abs(numbers)))
    return next((unit_s for least, unit_s in _EPOCHS if largest >= least), 1.0)


def _bare(cell: str) -> str:
    return cell.strip().strip("'\"[]").strip()


def _seconds_of(cell: str) -> float | None:
    text = _bare(cell)
    clock = _CLOCK.match(text)
    if clock:
        hours, minutes, seconds = clock.groups()
        return int(hours or 0) * 3600.0 + int(minutes) * 60.0 + float(seconds.replace(",", "."))
    if not any(mark in text for mark in "-/.:T"):
        return None
    try:
        return _since_1970(datetime.fromisoformat(_ONE_DIGIT_HOUR.sub(r"\g<1>0\2", text)))
    except ValueError:
        return _written_seconds(text)


def _written_seconds(text: str) -> float | None:
    for form in _WRITTEN:
        try:
            return _since_1970(datetime.strptime(text, form))
        except ValueError:
            continue
    return None


def _since_1970(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _past_midnight(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    days = np.cumsum(np.diff(seconds, prepend=seconds[:1]) < -_DAY_S / 2)
    return seconds + days * _DAY_S

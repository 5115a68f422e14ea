"""Opens what somebody wears, and says of what its times are."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from pintsize.errors import DataError, UserError
from pintsize.stream.source import Source
from pintsize.stream.sources import open_source
from pintsize.stream.sources.csv_table import read_table
from pintsize.stream.sources.described import shown
from pintsize.stream.sources.options import SourceOptions
from pintsize.stream.sources.written_times import is_time_name, is_time_text, read_times

#: an earlier time counts from the beginning of a recording, not since 1970
_SINCE_1970_S = 1e8
_ZONE = re.compile(r"\d\s*(?:Z|UTC|[+-]\d\d:?\d\d)$")
_LINES = 50
#: of a file is handed over at a time: a second, as the heart rate is told
_BLOCK_S = 1.0
#: below this rate so many samples at a time
_SLOW_HZ, _SLOW_BLOCK = 5.0, 30


@dataclass(frozen=True)
class Clock:
    """What a time of the source is on the wall.

    zone: that times are shown in; written: the source wrote its wall clock without a zone, so it stands as it is
    """

    zone: tzinfo = UTC
    written: bool = False

    def offset_s(self, time_s: float) -> float:
        """From the source's time to the wall's, at that time; 0 for what is no time since 1970."""
        if self.written or not is_since_1970(time_s):
            return 0.0
        offset = datetime.fromtimestamp(time_s, self.zone).utcoffset()
        return 0.0 if offset is None else offset.total_seconds()

    def in_words(self, first_s: float, last_s: float) -> str:
        """For the page: what its times are."""
        if not is_since_1970(first_s):
            return "Times count from the beginning of the recording."
        if self.written:
            return "Times are the wall clock's as they were written, without a zone."
        told = f"Times are those of {self.zone}, as its clock stood at the beginning."
        changes = self.offset_s(first_s) != self.offset_s(last_s)
        return f"{told} The clock was changed within the recording." if changes else told


def is_since_1970(time_s: float) -> bool:
    return time_s >= _SINCE_1970_S


def clock_of(text: str, zone: str | None) -> Clock:
    """text: what was opened. zone: such as Europe/Berlin. Raises UserError for one that is not known."""
    try:
        wanted = UTC if zone is None else ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UserError(f"--timezone {zone} is not known; write it as Europe/Berlin or UTC") from error
    return Clock(wanted, _is_written_without_zone(Path(text)))


def _is_written_without_zone(path: Path) -> bool:
    """Whether a table has written times without an offset. Numbers are since 1970 in UTC, or from the beginning."""
    if path.suffix.lower() not in (".csv", ".tsv", ".txt") or not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        lines = list(itertools.islice(file, _LINES))
    cells = [cell.strip().strip("\"'") for cell in re.split(r"[,;\t|]", lines[-1])] if lines else []
    written = [cell for cell in cells if is_time_text(cell)]
    return bool(written) and not any(_ZONE.search(cell) for cell in written)


def open_worn(text: str) -> Source:
    """A source as `open_source` opens it; a table of rates that come when they like gets their usual distance as rate.

    Raises DataError as that does.
    """
    try:
        source = open_source(text, SourceOptions(block_s=_BLOCK_S))
        if source.rate_hz >= _SLOW_HZ or not Path(text).is_file():
            return source
        source.close()
        return open_source(text, SourceOptions(block_s=_SLOW_BLOCK / source.rate_hz))
    except DataError as error:
        path = Path(text)
        if "uneven" not in str(error) or not path.is_file():
            raise
        distance_s = _usual_distance_s(path)
        return open_source(
            text, SourceOptions(source_rate_hz=1 / distance_s, block_s=_SLOW_BLOCK * distance_s)
        )


def _usual_distance_s(path: Path) -> float:
    """The middle distance of two times in a table. Raises DataError where there is none."""
    where = shown(path)
    table = read_table(path, where)
    named = [at for at, name in enumerate(table.names) if is_time_name(name)]
    at = named[0] if named else 0
    times_s = read_times(table.columns[at], table.names[at], where, table.number)
    steps = np.diff(times_s)
    forward = steps[steps > 0]
    if not len(forward):
        raise DataError(f"{where}: its times do not go on")
    return float(np.median(forward))

"""The rows of a CSV file as it is commonly exported, with what its first lines say of them."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan
from pathlib import Path

from pintsize.errors import DataError
from pintsize.stream.sources.described import distinct
from pintsize.stream.sources.written_times import is_time_text

_DELIMITERS = ",;\t|"
#: what stands where a value is missing
_MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "--", "?"}
_RATE_LINE = re.compile(r"sampl\w*[ _]*(?:rate|freq\w*)|^fs$|^frequency$|^rate(?:_hz)?$", re.IGNORECASE)
_FIRST_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Table:
    """names: one a column, each once; columns: their cells; rate_hz: where a line says it; cut: within its last row"""

    names: tuple[str, ...]
    columns: list[list[str]]
    rate_hz: float | None
    decimal_comma: bool
    cut: bool

    def number(self, cell: str) -> float:
        """NaN for what is no number."""
        return _number(cell, self.decimal_comma)


def read_table(path: Path, where: str) -> Table:
    """Header, units below it, a preface and comments are told from the numbers; cells are stripped.

    Raises DataError for what is no table of text, has no numbers, or a row that is too long.
    """
    text = _text(path, where)
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    delimiter = _delimiter(lines)
    comma = delimiter != ","  # then commas are decimal
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    first = _first_data_row(rows, comma, where)
    width = len(rows[first])
    names, rate_hz = _preface(rows[:first], width)
    data, cut = _even(rows[first:], width, where, text.endswith(("\n", "\r")))
    if names is None and (empatica_hz := _empatica_hz(data, comma)) is not None:
        rate_hz, data = empatica_hz, data[2:]
    columns = [list(column) for column in zip(*data, strict=True)]
    return Table(distinct(names or [str(at) for at in range(width)]), columns, rate_hz, comma, cut)


def _text(path: Path, where: str) -> str:
    content = path.read_bytes()
    if not content.strip():
        raise DataError(f"{where} is empty")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    if b"\x00" in content[:4096]:
        raise DataError(f"{where} is not a table of text: it holds zero bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _delimiter(lines: Sequence[str]) -> str:
    """The one that each of the last lines has most of: no preface is there. The very last may be cut short."""
    tail = lines[-20:-1] or lines
    least = {mark: min((line.count(mark) for line in tail), default=0) for mark in _DELIMITERS}
    return ";" if least[";"] else max(_DELIMITERS, key=lambda mark: least[mark])


def _number(cell: str, decimal_comma: bool) -> float:
    try:
        return float(cell.replace(",", ".") if decimal_comma else cell)
    except ValueError:
        return nan


def _holds_value(cell: str, decimal_comma: bool) -> bool:
    return not isnan(_number(cell, decimal_comma)) or is_time_text(cell)


def _first_data_row(rows: list[list[str]], comma: bool, where: str) -> int:
    """The first row with a number or a time in it whose cells are of the same kinds as those of one soon after it."""

    def kinds(row: list[str]) -> list[bool]:
        return [cell.casefold() in _MISSING or _holds_value(cell, comma) for cell in row]

    for at, row in enumerate(rows):
        values = sum(_holds_value(cell, comma) for cell in row)
        soon = rows[at + 1 : at + 4]
        alike = at + 2 >= len(rows) or kinds(row) in [kinds(other) for other in soon]
        if values and alike and values >= len(row) / 4:
            return at
    raise DataError(f"{where} has no rows of numbers")


def _preface(rows: list[list[str]], width: int) -> tuple[list[str] | None, float | None]:
    """Names from the first of the last two rows of the right width (units may follow), and the rate from its line."""
    rate_hz = None
    for row in rows:
        found = _FIRST_NUMBER.search(" ".join(row[1:])) if _RATE_LINE.search(row[0]) else None
        rate_hz = float(found.group()) if found else rate_hz
    said = [
        row
        for row in rows[-2:]
        if not (_RATE_LINE.search(row[0]) and _FIRST_NUMBER.search(" ".join(row[1:])))
    ]
    names = next((row for row in said if len(row) in (width, width - 1)), None)
    if names is None or len(names) < width == 2:  # a preface of one cell a row names nothing
        return None, rate_hz
    return [cell.strip("'\" ") for cell in names] + [""] * (width - len(names)), rate_hz


def _even(rows: list[list[str]], width: int, where: str, ends_well: bool) -> tuple[list[list[str]], bool]:
    """Rows of one width; short ones are filled up. A short last one without a line's end: the file is cut short."""
    cut = not ends_well and len(rows) > 1 and len(rows[-1]) < width
    rows = rows[:-1] if cut else rows
    for at, row in enumerate(rows):
        if len(row) > width and any(row[width:]):
            raise DataError(
                f"{where}: row {at + 1} of the numbers has {len(row)} cells where {width} are due"
            )
    return [(row + [""] * width)[:width] for row in rows], cut


def _empatica_hz(rows: list[list[str]], comma: bool) -> float | None:
    """Empatica's files begin with the start since 1970 and the rate, each once a column. None for other files."""
    if len(rows) < 3:
        return None
    start, rate = ({_number(cell, comma) for cell in row} for row in rows[:2])
    if len(start) == len(rate) == 1 and min(start) > 1e9 and 0 < min(rate) <= 1000:
        return min(rate)
    return None

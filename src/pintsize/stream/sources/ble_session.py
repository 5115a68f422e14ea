"""A recorded session of a Bluetooth heart-rate sensor: `.ble`, a text file with a notification a line.

# Polar H10, morning                 a comment
0.000 connected                      what happened
0.412 16 48 3a 03                    seconds, then the notification's bytes in hexadecimal
61.0 disconnected out of range
75.2 connected
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pintsize.errors import DataError
from pintsize.stream.block import Block
from pintsize.stream.sources.ble_seconds import CHANNELS, RATE_HZ, Seconds
from pintsize.stream.sources.described import Described, Description, shown
from pintsize.stream.sources.heart_rate_measurement import Measurement, read_measurement
from pintsize.stream.sources.options import SourceOptions

_EVENTS = ("connected", "disconnected")


@dataclass(frozen=True)
class Line:
    """measurement: None for an event, and for a notification that cannot be read; event: what happened then"""

    time_s: float
    measurement: Measurement | None
    event: str = ""


class BleSession(Described):
    """Replays a session; a notification that cannot be read is counted in refused_notifications and left out."""

    def __init__(self, name: str, lines: list[Line]) -> None:
        super().__init__(Description(name, RATE_HZ, CHANNELS))
        self._lines = lines
        self.refused_notifications = sum(line.measurement is None and not line.event for line in lines)

    @property
    def events(self) -> tuple[tuple[float, str], ...]:
        """What happened besides notifications: (seconds, words)."""
        return tuple((line.time_s, line.event) for line in self._lines if line.event)

    def blocks(self) -> Iterator[Block]:
        seconds = Seconds()
        for line in self._lines:
            if line.measurement is not None:
                block = seconds.push(line.time_s, line.measurement)
            elif line.event.startswith("disconnected"):
                block = seconds.flush()
            else:
                continue
            if block is not None:
                yield block
        last = seconds.flush()
        if last is not None:
            yield last


def open_ble_session(path: Path, options: SourceOptions) -> BleSession:
    """Raises DataError for a line that is neither a notification nor an event, and where no notification is there."""
    where = shown(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is not a session: it is no text") from error
    lines = [_line(line, number, where) for number, line in enumerate(text.splitlines(), 1) if _says(line)]
    if not any(line.measurement for line in lines):
        raise DataError(f"{where} holds no notification that can be read")
    return BleSession(where, lines)


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _line(line: str, number: int, where: str) -> Line:
    first, _, rest = line.strip().partition(" ")
    try:
        time_s = float(first)
        if not abs(time_s) < 1e12:
            raise ValueError(f"a time of {first}")
        if rest.split(" ")[0] in _EVENTS:
            return Line(time_s, None, rest)
        payload = bytes.fromhex(rest)
    except ValueError as error:
        raise DataError(
            f"{where}, line {number}: {line.strip()[:60]!r} is neither `seconds hexadecimal bytes` nor `seconds "
            "connected` or `disconnected`"
        ) from error
    try:
        return Line(time_s, read_measurement(payload))
    except DataError:
        return Line(time_s, None)

"""Decisions as JSON, one a line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import IO

from pintsize.errors import OutputError, SinkError
from pintsize.stream.decision import Decision, record


class JsonLinesSink:
    """Writes each decision as one line of JSON, once and whole.

    path: the file, which is begun anew; None: standard output. A line that a full disk cut off is gone on with from
    where it was cut. Raises OutputError when the file cannot be made.
    """

    leaves_device = False
    waits = False

    def __init__(self, path: str | Path | None = None) -> None:
        self.name = "standard output" if path is None else str(path)
        self._number = -1
        self._rest = b""
        try:  # without a buffer: what was written, and what was not, is known
            self._file: IO[bytes] | None = None if path is None else open(path, "wb", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error.strerror}") from error

    def send(self, decision: Decision, number: int) -> None:
        if number != self._number:
            self._number, self._rest = number, as_line(decision).encode()
        try:
            self._write()
        except (OSError, ValueError) as error:  # ValueError: somebody closed it
            raise SinkError(f"{self.name} cannot be written: {error}") from error

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _write(self) -> None:
        if self._file is None:
            sys.stdout.write(self._rest.decode())
            sys.stdout.flush()
            return
        while self._rest:
            self._rest = self._rest[self._file.write(self._rest) :]


def as_line(decision: Decision) -> str:
    return json.dumps(record(decision), ensure_ascii=False) + "\n"

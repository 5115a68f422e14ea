"""Decisions that are not sent yet: in memory, and on disk where they must outlive the program.

On disk each line is either a decision with its number, or the number of one that was sent. What a power cut tore off
the last line is left out when it is read again. The file can be read by its owner alone.
"""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import IO

from pintsize.errors import OutputError
from pintsize.stream.decision import Decision, record
from pintsize.stream.sinks.home_assistant import topic_part


class Journal:
    """A queue of at most `most` decisions, each with a number that no other of this sink has.

    folder: None keeps it in memory. Raises OutputError when the file cannot be made.
    failure: why what is on disk is no longer all that waits; None while it is.
    """

    def __init__(self, name: str, folder: Path | None, most: int) -> None:
        self.path = None if folder is None else folder / file_name(name)
        self._most = most
        self._waiting: OrderedDict[int, Decision] = OrderedDict()
        self._next = 0
        self._lines = 0
        self._stream: IO[str] | None = None
        self.failure: str | None = None
        if self.path is not None:
            self._open(self.path)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def first(self) -> tuple[int, Decision] | None:
        return next(iter(self._waiting.items()), None)

    def add(self, decision: Decision) -> int:
        """Gives how many were dropped for it: 0 or 1."""
        number, self._next = self._next, self._next + 1
        self._waiting[number] = decision
        self._write({"number": number, **record(decision)})
        if len(self._waiting) <= self._most:
            return 0
        self.done(next(iter(self._waiting)))
        return 1

    def done(self, number: int) -> None:
        """Sent; a number that was dropped meanwhile is none any more."""
        if self._waiting.pop(number, None) is not None:
            self._write({"sent": number})
        if self._lines > 2 * self._most + 1000:
            self._tidy()

    def close(self) -> None:
        """Leaves on disk what still waits, or no file."""
        if self._stream is None or self.path is None:
            return
        self._tidy()
        if self._stream is None:
            return
        self._stream.close()
        self._stream = None
        if not self._waiting:
            self.path.unlink(missing_ok=True)

    def _open(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_file():
                self._read(path.read_text(encoding="utf-8", errors="replace"))
            self._stream = _private(path, "a")
        except OSError as error:
            raise OutputError(f"the outbox {path} cannot be kept: {error.strerror}") from error
        self._rewrite()

    def _read(self, text: str) -> None:
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                self._next = max(self._next, entry.get("sent", entry.get("number", -1)) + 1)
                if "sent" in entry:
                    self._waiting.pop(entry["sent"], None)
                else:
                    self._waiting[entry["number"]] = _decision(entry)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # torn by a power cut while it was written

    def _write(self, entry: dict[str, object]) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(json.dumps(entry) + "\n")
            self._stream.flush()
            self._lines += 1
        except OSError as error:
            self._give_up(error)

    def _tidy(self) -> None:
        try:
            self._rewrite()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """The disk is full or gone: from now on in memory alone. What is on it stays there."""
        self.failure = f"{self.path} cannot be written ({error.strerror}): decisions are kept in memory alone"
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(OSError):
                stream.close()

    def _rewrite(self) -> None:
        """The file anew with what waits; the old one stands until the new one is whole."""
        if self._stream is None or self.path is None:
            return
        fresh = self.path.with_suffix(".new")
        with _private(fresh, "w") as stream:
            stream.write(json.dumps({"sent": self._next - 1}) + "\n")
            stream.writelines(json.dumps({"number": n, **record(d)}) + "\n" for n, d in self._waiting.items())
            stream.flush()
            os.fsync(stream.fileno())
        self._stream.close()
        fresh.replace(self.path)
        self._stream = _private(self.path, "a")
        self._lines = len(self._waiting) + 1


def file_name(sink: str) -> str:
    """Of a sink's outbox on disk."""
    return f"{topic_part(sink) or 'sink'}.outbox.jsonl"


def _private(path: Path, mode: str) -> IO[str]:
    return open(path, mode, encoding="utf-8", opener=lambda p, flags: os.open(p, flags, 0o600))


def _decision(entry: dict[str, object]) -> Decision:
    told = {key: value for key, value in entry.items() if key not in ("number", "slots")}
    slots = entry.get("slots") or {}
    if not isinstance(slots, dict):
        raise TypeError(f"slots {slots!r}")
    return Decision(**told, slots=tuple(slots.items()))  # type: ignore[arg-type]

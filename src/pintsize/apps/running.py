"""A run of an application as its user asked for it: the source with its faults, the sinks, what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pintsize.apps.telling import console, say, summary
from pintsize.errors import OutputError, UserError

if TYPE_CHECKING:
    from pintsize.apps.application import RunOptions
    from pintsize.apps.stages import AppReport
    from pintsize.stream.recording import Recorder
    from pintsize.stream.sinks import Entity, Place, Sink
    from pintsize.stream.source import Source

#: kinds of source that go on whether we keep up or not, and those of them that come over a network
LIVE = ("microphone", "mqtt", "mqtts", "ble")
NETWORKED = ("mqtt", "mqtts", "ble")


@dataclass(frozen=True)
class Session:
    """What the common options say (see `apps/options.py`). source: None where there is none to listen to.

    Raises UserError for options that do not go together.
    """

    source: str | None
    faults: str | None = None
    seed: int = 0
    json_lines: Path | None = None
    report: Path | None = None
    mqtt: str | None = None
    online: bool = False
    outbox: Path | None = None
    keep: Path | None = None
    key: Path | None = None
    weights: Path | None = None

    def __post_init__(self) -> None:
        if (self.keep is None) != (self.key is None):
            raise UserError(
                "--keep needs --key, the file with the key that it is encrypted with, and --key needs --keep"
            )

    @property
    def live(self) -> bool:
        """Whether the source goes on whether we keep up or not."""
        return self._kind in LIVE

    @property
    def _kind(self) -> str:
        return "" if self.source is None else self.source.partition(":")[0]

    @property
    def options(self) -> RunOptions:
        from pintsize.apps.application import RunOptions

        return RunOptions(self.live, not self.online, self.outbox, self.weights, said=say)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Offline no socket of this program's passes; a source over the network is the user's word."""
        from pintsize.stream.privacy import no_sockets

        with nullcontext() if self.online or self._kind in NETWORKED else no_sockets():
            yield

    def sinks(self, place: Place, entities: Sequence[Entity]) -> list[Sink]:
        """The console, and whatever else was asked for. entities: what a broker is told that there is."""
        from pintsize.apps.brokers import broker_of
        from pintsize.stream.sinks import ConsoleSink, JsonLinesSink, MqttSink

        sinks: list[Sink] = [ConsoleSink(console)]
        if self.json_lines is not None:
            sinks.append(JsonLinesSink(self.json_lines))
        if self.mqtt is not None:
            sinks.append(MqttSink(broker_of(self.mqtt), place, entities))
        return sinks

    def run(
        self, opened: Callable[[str], Source], run: Callable[[Source, RunOptions], AppReport]
    ) -> AppReport:
        """Opens the source, runs on it, shows and writes the report. Raises what these raise."""
        from pintsize.stream.faults import parse_faults
        from pintsize.stream.faulty import Faulty

        if self.source is None:
            raise UserError("--source is missing: a file, a folder or something live")
        source = opened(self.source)
        try:
            if self.faults is not None:
                source = Faulty(source, parse_faults(self.faults), self.seed)
            told = run(source, replace(self.options, recorder=self._recorder(source)))
        finally:
            source.close()
        if self.report is not None:
            write(self.report, told.as_json())
        console.print(summary(told))
        return told

    def _recorder(self, source: Source) -> Recorder | None:
        """A new file in the folder: none is overwritten."""
        from pintsize.stream.recording import Recorder, make_key, read_key

        if self.keep is None or self.key is None:
            return None
        try:
            self.keep.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.keep} cannot be made: {error.strerror}") from error
        if not self.key.exists():
            make_key(self.key)
            say(f"made the key {self.key}: without it no recording can be read")
        number = 1
        while (path := self.keep / f"recording-{number:04d}.pintsize").exists():
            number += 1
        return Recorder(path, read_key(self.key), source)


def write(path: Path, text: str) -> None:
    """All of it or nothing. Raises OutputError."""
    from pintsize.folder import write_file

    write_file(path, text.encode())

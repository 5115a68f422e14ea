"""What an application offers to whoever runs it: the command line, a test, another program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from pintsize.apps.evidence.evaluation import Evaluation
from pintsize.apps.stages import AppReport
from pintsize.errors import UserError
from pintsize.stream.recording import Recorder
from pintsize.stream.sinks import Sink
from pintsize.stream.source import Source

#: name of a figure → value
Metrics = Mapping[str, float]

#: gets lines for a person
Said = Callable[[str], None]


def nobody(line: str) -> None:
    """Who listens when nobody does."""


@dataclass(frozen=True)
class RunOptions:
    """How an application runs.

    live: the source does not wait for it; offline: sinks that leave the device are refused
    outbox: a folder that keeps what a sink could not take beyond the program's end
    weights: a folder of the user's own models, as `train` wrote it; None: those that are shipped
    """

    live: bool = False
    offline: bool = True
    outbox: Path | None = None
    weights: Path | None = None
    recorder: Recorder | None = None
    said: Said = nobody


class Offered(Protocol):
    """What every application offers. What builds may need torch and a compiler; what evaluates needs neither."""

    @property
    def name(self) -> str: ...

    def evaluate(self, data: Path, said: Said = nobody) -> Evaluation:
        """The metrics on data that no training saw. Raises DataError where the data is not there."""
        ...

    def build(self, device: str, out: Path, weights: Path | None = None, said: Said = nobody) -> Metrics:
        """The application as C, proven. Gives what it takes there. Raises UserError for what does not fit."""
        ...


class Application(Offered, Protocol):
    """An application on live signals. What runs needs neither torch nor a compiler."""

    def run(self, source: Source, sinks: Sequence[Sink], options: RunOptions | None = None, /) -> AppReport:
        """Runs on a source until that ends. Raises UserError before anything runs."""
        ...


@runtime_checkable
class Trained(Protocol):
    """An application whose models a user can train anew."""

    @property
    def name(self) -> str: ...

    def train(self, samples: Path, out: Path, seed: int = 0, said: Said = nobody) -> None:
        """Own models from a folder of labelled samples. Raises DataError for those that cannot be used."""
        ...


def require_folder(path: Path, what: str) -> Path:
    """The folder. Raises UserError where it is none; what: for whom it is."""
    if not path.is_dir():
        raise UserError(f"{path} is no folder: {what}")
    return path

"""Training in processes of its own, so that two candidates are trained at once.

Threads would share Python's lock, and small networks spend most of a step in Python. Every worker is a fresh
interpreter that gets the recipe once and then one candidate after the other, each way as pickles; it never imports the
user's script. What the user wrote (a loss, a metric) stays in this process, and so does training that is done sooner
than a worker has started.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import IO, Any

import torch

from pintsize.compress.candidate import Candidate
from pintsize.compress.epoch import LOG, Epoch, to_log
from pintsize.compress.recipe import OnStep, Recipe
from pintsize.errors import PintsizeError, ToolError
from pintsize.graph import Graph

#: multiply-accumulates of a whole training's forward passes below which a worker is not worth its start
WORTH_MACS = 1e10

#: (candidate, told of its progress, share of the whole training) → the trained annotated Graph
TrainCandidate = Callable[[Candidate, OnStep, float], Graph]


class _WorkerEnded(ToolError):
    """Without a word: killed for memory, or crashed."""


ENDED = "a process that trains has ended: is there enough memory?"
START = "from pintsize.apart import serve; serve()"


@contextmanager
def trainer(recipe: Recipe) -> Iterator[TrainCandidate]:
    """The recipe, worked on in other processes where that pays; they end with the context."""
    if not _pays(recipe):
        yield recipe
        return
    workers = Workers(recipe)
    try:
        yield workers
    finally:
        workers.close()


def _pays(recipe: Recipe) -> bool:
    lesson, effort = recipe.lesson, recipe.effort
    steps = effort.float_steps + effort.integer_steps
    long = recipe.base.macs * effort.batch * steps >= WORTH_MACS
    return long and lesson.loss is None and lesson.metric is None and bool(sys.executable)


@dataclass
class Workers:
    """As many workers as there are calls at once."""

    recipe: Recipe
    idle: SimpleQueue[subprocess.Popen[bytes]] = field(default_factory=SimpleQueue)

    def __call__(self, candidate: Candidate, on_step: OnStep, share: float) -> Graph:
        """The trained annotated Graph. A worker that crashes is replaced once.

        Raises what the training raises, what `on_step` raises, and ToolError where the second worker ends too.
        """
        try:
            return self._once(candidate, on_step, share)
        except _WorkerEnded as error:
            LOG.warning("%s: %s Once more", candidate.name, error)
            return self._once(candidate, on_step, share)

    def _once(self, candidate: Candidate, on_step: OnStep, share: float) -> Graph:
        worker = self._worker()
        try:
            found = self._trained(worker, candidate, on_step, share)
        except BaseException:
            _end(worker)
            raise
        self.idle.put(worker)
        return found

    def close(self) -> None:
        """Ends the workers that wait."""
        with suppress(Empty):
            while True:
                _end(self.idle.get_nowait())

    def _trained(
        self, worker: subprocess.Popen[bytes], candidate: Candidate, on_step: OnStep, share: float
    ) -> Graph:
        assert worker.stdin is not None and worker.stdout is not None
        _send(worker.stdin, (candidate, share))
        while True:
            kind, value = _received(worker.stdout)
            if kind == "epoch":
                to_log(value)
                self.recipe.tell(candidate, on_step, value)
            elif kind == "warning":
                LOG.warning("%s", value)
            elif kind == "refused":
                raise value
            else:
                return value

    def _worker(self) -> subprocess.Popen[bytes]:
        with suppress(Empty):
            return self.idle.get_nowait()
        places = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        worker = subprocess.Popen(
            [sys.executable, "-c", START], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=places
        )
        assert worker.stdin is not None
        try:
            _send(worker.stdin, replace(self.recipe, on_epoch=None))
        except BaseException:
            _end(worker)
            raise
        return worker


def _send(stream: IO[bytes], message: Any) -> None:
    """To a worker. Raises _WorkerEnded where it has ended."""
    try:
        _tell(stream, message)
    except BrokenPipeError:
        raise _WorkerEnded(ENDED) from None


def _tell(stream: IO[bytes], message: Any) -> None:
    pickle.dump(message, stream, protocol=pickle.HIGHEST_PROTOCOL)
    stream.flush()


def _received(stream: IO[bytes]) -> tuple[str, Any]:
    try:
        return pickle.load(stream)
    except (EOFError, pickle.UnpicklingError):  # nothing more, or half of a message
        raise _WorkerEnded(ENDED) from None


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    worker.communicate()


def serve() -> None:
    """The worker: reads a recipe and candidates from standard input until it ends, and trains them."""
    with suppress(BrokenPipeError):  # nobody is there any more to train for
        _serve()


def _serve() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it decides
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else is printed
    torch.set_num_threads(1)
    LOG.addHandler(_Warnings(out))
    recipe: Recipe = replace(pickle.load(sys.stdin.buffer), on_epoch=_Forwarded(out))
    while True:
        try:
            candidate, share = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            _tell(out, ("done", recipe(candidate, None, share)))
        except PintsizeError as error:
            _tell(out, ("refused", error))


@dataclass(frozen=True)
class _Forwarded:
    """Sends every epoch to who started the worker."""

    out: IO[bytes]

    def __call__(self, epoch: Epoch) -> None:
        _tell(self.out, ("epoch", epoch))


class _Warnings(logging.Handler):
    """Sends warnings to who started the worker; it logs the epochs itself."""

    def __init__(self, out: IO[bytes]) -> None:
        super().__init__(logging.WARNING)
        self.out = out

    def emit(self, record: logging.LogRecord) -> None:
        _tell(self.out, ("warning", record.getMessage()))

"""Raw samples on standard input, such as `arecord -t raw -f S16_LE -r 16000 | pintsize … --source -:int16@16000`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from threading import Thread
from typing import BinaryIO

import numpy as np

from pintsize.errors import DataError
from pintsize.stream.block import Block, heartbeat
from pintsize.stream.convert import INT16_FULL_SCALE
from pintsize.stream.queue import BlockQueue
from pintsize.stream.sources.described import Described, Description, numbered
from pintsize.stream.sources.options import FORMATS, SourceOptions

#: int16@16000 or float32@44100x2
_SAID = re.compile(r"^(int16|float32)@(\d+(?:\.\d+)?)(?:x(\d+))?$")
_CAPACITY_S = 10.0
_SILENT_AFTER_S = 2.0


class StandardInput(Described):
    """Interleaved samples until the end of the input. The writer waits while the queue is full: nothing is lost.

    Its clock counts samples. Raises SourceLost out of `blocks` where the input ends within a sample.
    """

    def __init__(
        self, description: Description, dtype: np.dtype[np.generic], input_: BinaryIO, block: int
    ) -> None:
        super().__init__(description)
        self._dtype = dtype
        self._input = input_
        self._block_samples = block
        self._queue = BlockQueue(
            "wait", _CAPACITY_S, _SILENT_AFTER_S, heartbeat(self.channels, self.rate_hz, dtype)
        )

    def blocks(self) -> Iterator[Block]:
        Thread(target=self._read, daemon=True).start()
        return self._queue.blocks()

    def close(self) -> None:
        self._queue.close()

    def _read(self) -> None:
        """Runs in its own thread, so that a silent input is noticed."""
        frame_bytes = self._dtype.itemsize * self.channels
        taken = index = 0
        while True:
            content, rest = _whole(self._input, self._block_samples * frame_bytes, frame_bytes)
            if content:
                samples = np.frombuffer(content, self._dtype).reshape(-1, self.channels)
                native = samples.astype(self._dtype.newbyteorder("="))
                self._queue.put(Block(native, taken / self.rate_hz, self.rate_hz, 0.0, index))
                taken, index = taken + len(samples), index + 1
            if rest is not None:
                reason = f"{self.name} ended within a sample, after {taken}" if rest else None
                self._queue.end(reason)
                return


def _whole(input_: BinaryIO, count: int, frame_bytes: int) -> tuple[bytes, bytes | None]:
    """The next count bytes, and None; at the end: whole frames, and what is left over."""
    content = input_.read(count)
    if len(content) == count:
        return content, None
    whole = len(content) // frame_bytes * frame_bytes
    return content[:whole], content[whole:]


def open_standard_input(rest: str, options: SourceOptions, input_: BinaryIO | None = None) -> StandardInput:
    """rest: `int16@16000` or `float32@44100x2` (two channels), or empty where the options say it.

    Raises DataError where neither says the format and the rate: raw samples do not.
    """
    kind, rate_hz, channels = options.format, options.source_rate_hz, options.raw_channels
    if rest:
        said = _SAID.match(rest)
        if said is None:
            raise DataError(f"-:{rest} is not understood; write -:int16@16000 or -:float32@44100x2")
        kind, rate_hz, channels = said[1], float(said[2]), int(said[3] or 1)
    if kind not in FORMATS or not rate_hz or channels < 1:
        raise DataError(
            "raw samples on standard input do not say what they are; write -:int16@16000 "
            "or -:float32@44100x2 (type @ rate x channels)"
        )
    full_scale = options.full_scale or (INT16_FULL_SCALE if kind == "int16" else 1.0)
    limits = (-INT16_FULL_SCALE, INT16_FULL_SCALE - 1) if kind == "int16" else (-full_scale, full_scale)
    description = Description("standard input", rate_hz, numbered(channels), full_scale, limits)
    return StandardInput(
        description, FORMATS[kind], input_ or sys.stdin.buffer, options.block_samples(rate_hz)
    )

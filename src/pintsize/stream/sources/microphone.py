"""A microphone through sounddevice. Its clock counts samples; what the driver lost is added as a gap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pintsize.errors import DataError
from pintsize.stream.block import Block, heartbeat
from pintsize.stream.convert import INT16_FULL_SCALE
from pintsize.stream.queue import BlockQueue
from pintsize.stream.sources.described import Described, Description, numbered
from pintsize.stream.sources.library import library
from pintsize.stream.sources.options import SourceOptions

#: what the queue holds while the loop is busy
_CAPACITY_S = 10.0
#: a driver that is silent for this long has lost its device
_LOST_AFTER_S = 2.0


class Microphone(Described):
    """int16 samples as they come. Raises SourceLost out of `blocks` when the device is gone."""

    def __init__(
        self, description: Description, device: int | str | None, sounddevice: Any, block_samples: int
    ) -> None:
        super().__init__(description)
        self._queue = BlockQueue(
            "lossless", _CAPACITY_S, _LOST_AFTER_S, heartbeat(self.channels, self.rate_hz, np.int16)
        )
        self._clock_s = 0.0
        self._index = 0
        self._heard_until_s: float | None = None
        self._stream = sounddevice.InputStream(
            samplerate=description.rate_hz,
            device=device,
            channels=self.channels,
            dtype="int16",
            blocksize=block_samples,
            callback=self._take,
            finished_callback=self._finished,
        )

    @property
    def dropped_samples(self) -> int:
        return self._queue.dropped_samples

    def blocks(self) -> Iterator[Block]:
        """Raises SourceLost when the device is unplugged, after all that came before."""
        self._stream.start()
        for block in self._queue.blocks():
            if len(block.samples):
                yield block
            else:
                self._queue.end(self._gone(f"no samples for {_LOST_AFTER_S:g} s"))

    def close(self) -> None:
        self._queue.close()
        self._stream.close()

    def _take(self, samples: Any, frames: int, times: Any, status: Any) -> None:
        """Called by PortAudio's thread; the buffer is its own, so it is copied."""
        gap_s = self._missed_s(times.inputBufferAdcTime) if status.input_overflow else 0.0
        self._clock_s += gap_s
        self._heard_until_s = times.inputBufferAdcTime + frames / self.rate_hz
        self._queue.put(Block(np.array(samples), self._clock_s, self.rate_hz, gap_s, self._index))
        self._clock_s += frames / self.rate_hz
        self._index += 1

    def _missed_s(self, began_s: float) -> float:
        """How much the driver dropped; at least one sample, where its clock does not tell."""
        least_s = 1 / self.rate_hz
        return least_s if self._heard_until_s is None else max(began_s - self._heard_until_s, least_s)

    def _finished(self) -> None:
        self._queue.end(self._gone("the driver stopped"))

    def _gone(self, what: str) -> str:
        return f"{self.name}: {what}, at {self._clock_s:.1f} s. Was it unplugged?"


def open_microphone(rest: str, options: SourceOptions) -> Microphone:
    """rest: a device's number or part of its name; empty for the default one.

    Recorded at the rate wanted where the device can, else at its own. Raises DataError where there is no microphone.
    """
    sounddevice = library("sounddevice")
    device: int | str | None = int(rest) if rest.isdigit() else rest or None
    name = f"microphone:{rest}" if rest else "microphone"
    try:
        found = sounddevice.query_devices(device, "input")
        channels = _channels(options, int(found["max_input_channels"]), name)
        rate_hz = _rate_hz(sounddevice, device, channels, options, float(found["default_samplerate"]))
        limits = (-INT16_FULL_SCALE, INT16_FULL_SCALE - 1)
        description = Description(name, rate_hz, numbered(channels), INT16_FULL_SCALE, limits)
        return Microphone(description, device, sounddevice, options.block_samples(rate_hz))
    except (sounddevice.PortAudioError, ValueError) as error:
        raise DataError(f"{name} cannot be opened: {error}") from error


def _channels(options: SourceOptions, available: int, name: str) -> int:
    """One, unless others are asked for."""
    if options.channels == "all":
        return 1
    wanted = (
        2 if options.channels == "mean" else 1 + max(_number(channel, name) for channel in options.channels)
    )
    return min(wanted, available)


def _number(channel: int | str, name: str) -> int:
    if isinstance(channel, int):
        return channel
    raise DataError(f"{name} has no channel {channel!r}; its channels are numbers from 0")


def _rate_hz(
    sounddevice: Any, device: int | str | None, channels: int, options: SourceOptions, default_hz: float
) -> float:
    """The rate wanted, if the device can; its own otherwise, which is then converted or refused."""
    wanted_hz = options.source_rate_hz or options.rate_hz
    if wanted_hz is None:
        return default_hz
    try:
        sounddevice.check_input_settings(
            device=device, channels=channels, dtype="int16", samplerate=wanted_hz
        )
    except sounddevice.PortAudioError:
        if options.source_rate_hz is not None:
            raise
        return default_hz
    return wanted_hz

"""A heart-rate sensor over Bluetooth Low Energy through bleak: `ble:AA:BB:CC:DD:EE:FF`.

The sensor sends no times, so its clock is the computer's since the first connection. A sensor that goes away is waited
for: heartbeats come out, so that no old rate stays, and what was missed is a gap. After a while the source gives up.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pintsize.errors import DataError
from pintsize.stream.block import Block, heartbeat
from pintsize.stream.queue import BlockQueue
from pintsize.stream.sources.ble_seconds import CHANNELS, RATE_HZ, Seconds
from pintsize.stream.sources.described import Described, Description
from pintsize.stream.sources.heart_rate_measurement import MEASUREMENT, read_measurement
from pintsize.stream.sources.library import library
from pintsize.stream.sources.options import SourceOptions

#: as Linux and Windows name a sensor, and as macOS does
_ADDRESS = re.compile(r"^(?:[0-9A-F]{2}(?::[0-9A-F]{2}){5}|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})$")
_CAPACITY_S, _SILENT_AFTER_S = 600.0, 3.0
_RETRY_S, _GIVE_UP_S, _CONNECT_S = 2.0, 120.0, 30.0


class Ble(Described):
    """The notifications of one sensor, a second each. Lossless while the sensor is there.

    refused_notifications: how many could not be read
    on_state: gets "connected" and "disconnected: reason" as lines for a person; set it before `blocks`
    """

    def __init__(
        self, address: str, bleak: Any, now: Callable[[], float] = time.monotonic, retry_s: float = _RETRY_S,
        give_up_s: float = _GIVE_UP_S,
    ) -> None:  # fmt: skip
        super().__init__(Description(f"ble:{address}", RATE_HZ, CHANNELS))
        self.refused_notifications = 0
        self.on_state: Callable[[str], None] = _unheard
        self._address, self._bleak, self._now = address, bleak, now
        self._retry_s, self._give_up_s = retry_s, give_up_s
        self._queue = BlockQueue(
            "lossless", _CAPACITY_S, _SILENT_AFTER_S, heartbeat(len(CHANNELS), RATE_HZ, np.float32)
        )
        self._seconds = Seconds()
        self._began: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._closed = False
        self._tried = threading.Event()
        self._lost: str | None = "not yet connected"
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name=self.name, daemon=True
        )

    @property
    def dropped_samples(self) -> int:
        return self._queue.dropped_samples

    @property
    def connected(self) -> bool:
        return self._lost is None

    def connect(self) -> None:
        """Raises DataError where the sensor does not answer."""
        self._thread.start()
        self._tried.wait(_CONNECT_S)
        if not self._begun:
            reason = self._lost
            self.close()
            raise DataError(
                f"{self.name} does not answer: {reason}. Is it worn, near, and free of other phones?"
            )

    def blocks(self) -> Iterator[Block]:
        """Raises SourceLost when the sensor stays away."""
        return self._queue.blocks()

    def close(self) -> None:
        self._closed = True
        self._queue.close()
        loop, over = self._loop, self._over
        if loop is not None and over is not None and not loop.is_closed():
            loop.call_soon_threadsafe(over.set)
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(_SILENT_AFTER_S)

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        away_since = self._now()
        while not self._closed:
            reason = await self._session()
            if self._lost is None:
                away_since = self._now()
            self._gone(reason)
            if self._closed or not self._begun:
                break
            if self._now() - away_since >= self._give_up_s:
                self._queue.end(f"{self.name}: no sensor for {self._now() - away_since:.0f} s ({reason})")
                break
            self._over.clear()
            await _waited(self._over, self._retry_s)

    @property
    def _begun(self) -> bool:
        return self._began is not None

    async def _session(self) -> str:
        """One connection, from its beginning to its end; gives why it ended."""
        assert self._over is not None
        over, loop = self._over, asyncio.get_running_loop()
        client = self._bleak.BleakClient(
            self._address, disconnected_callback=lambda _: loop.call_soon_threadsafe(over.set)
        )
        try:
            await client.connect()
            over.clear()
            if not client.is_connected or self._closed:
                return "the connection did not last"
            await client.start_notify(MEASUREMENT, self._notified)
            self._there()
            await over.wait()
            if self._closed:
                await client.disconnect()
            return "the connection was lost"
        except (self._bleak.exc.BleakError, OSError) as error:  # a timeout is an OSError
            return str(error) or type(error).__name__

    def _there(self) -> None:
        self._began = self._now() if self._began is None else self._began
        self._lost = None
        self._tried.set()
        self.on_state(f"{self.name}: connected")

    def _gone(self, reason: str) -> None:
        was_there, self._lost = self._lost is None, reason
        self._tried.set()
        self._put(self._seconds.flush())
        if was_there and not self._closed:
            self.on_state(f"{self.name}: disconnected: {reason}")

    def _notified(self, characteristic: Any, payload: bytearray) -> None:
        try:
            measurement = read_measurement(bytes(payload))
        except DataError:
            self.refused_notifications += 1
            return
        began = self._now() if self._began is None else self._began
        self._put(self._seconds.push(self._now() - began, measurement))

    def _put(self, block: Block | None) -> None:
        if block is not None:
            self._queue.put(block)


async def _waited(event: asyncio.Event, seconds: float) -> None:
    """Until the event, or so long."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


def _unheard(line: str) -> None:
    """Nobody listens."""


def open_ble(rest: str, options: SourceOptions) -> Ble:
    """rest: the sensor's address. Raises DataError for what is none and where nothing answers; MissingExtra."""
    address = rest.strip().upper()
    if not _ADDRESS.match(address):
        raise DataError(
            f"ble:{rest} is not an address; write ble:AA:BB:CC:DD:EE:FF (on macOS the sensor's UUID)"
        )
    source = Ble(address, library("bleak"))
    source.connect()
    return source

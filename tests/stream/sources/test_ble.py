"""A heart-rate sensor over Bluetooth: what it sends, a session in a file, and one that goes away and comes back."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pintsize.errors import DataError, MissingExtra, SourceLost
from pintsize.stream.health import HealthLimits, monitor_of
from pintsize.stream.sources import open_source
from pintsize.stream.sources.ble import Ble
from pintsize.stream.sources.ble_seconds import CHANNELS, Seconds
from pintsize.stream.sources.ble_session import BleSession
from pintsize.stream.sources.heart_rate_measurement import Measurement, read_measurement

ADDRESS = "AA:BB:CC:DD:EE:FF"
SESSION = """\
# a strap, shortened
0.0 connected
0.4 16 48 00 04
1.4 16 49 00 04 00 03
2.5 06 4a

3.5 04 4b
4.5 06 00
5.2 06
6.0 disconnected out of range
20.0 connected
20.3 01 2c 01
"""


class BleakError(Exception):
    """As bleak's."""


class Client:
    """A sensor that plays what each connection brings: notifications, then it goes. An exception: it is not there."""

    connections: tuple[Any, ...] = ()
    count = 0

    def __init__(self, address: str, disconnected_callback: Callable[[Any], None]) -> None:
        self._gone = disconnected_callback
        self.is_connected = False
        self._plays: list[bytes] = []

    async def connect(self) -> None:
        number, type(self).count = self.count, self.count + 1
        plays = self.connections[min(number, len(self.connections) - 1)]
        if isinstance(plays, Exception):
            raise plays
        self._plays, self.is_connected = plays, True

    async def start_notify(self, characteristic: str, callback: Callable[[Any, bytearray], None]) -> None:
        assert characteristic.startswith("00002a37")
        for payload in self._plays:
            callback(None, bytearray(payload))
        asyncio.get_running_loop().call_soon(self._gone, self)

    async def disconnect(self) -> None:
        self.is_connected = False


def bleak(*connections: Any) -> Any:
    """The library, with these connections."""
    client = type("PlayedClient", (Client,), {"connections": connections, "count": 0})
    return SimpleNamespace(BleakClient=client, exc=SimpleNamespace(BleakError=BleakError))


class Clock:
    """Each look at it is half a second later."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        self.now_s += 0.5
        return self.now_s


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("00 48", Measurement(72, "not said", None, ())),
        ("06 48", Measurement(72, "there", None, ())),
        ("04 00", Measurement(0, "lost", None, ())),
        ("01 2c 01", Measurement(300, "not said", None, ())),
        ("0e ff 10 27", Measurement(255, "there", 10_000, ())),
        ("1e 48 e8 03 00 04 00 02", Measurement(72, "there", 1000, (1.0, 0.5))),
    ],
)
def test_flags_say_what_is_in_a_notification(payload: str, expected: Measurement) -> None:
    assert read_measurement(bytes.fromhex(payload)) == expected


@pytest.mark.parametrize("payload", ["", "06", "01 48", "08 48 10", "10 48 00", "00 48 00 04"])
def test_what_does_not_fit_its_flags_is_refused(payload: str) -> None:
    with pytest.raises(DataError, match="notification"):
        read_measurement(bytes.fromhex(payload))


@given(st.binary(max_size=24))
def test_whatever_comes_is_read_or_refused(payload: bytes) -> None:
    try:
        found = read_measurement(payload)
    except DataError:
        return
    assert 0 <= found.bpm <= 65535
    assert all(interval >= 0 for interval in found.intervals_s)


def test_seconds_repeat_nothing_and_say_what_is_missing() -> None:
    seconds = Seconds()
    blocks = [
        seconds.push(time_s, Measurement(bpm, "there", None, (0.8,)))
        for time_s, bpm in ((0.1, 70), (0.9, 71), (1.2, 72), (5.0, 73))
    ]
    made = [block for block in [*blocks, seconds.flush()] if block is not None]
    assert [(b.start_s, b.gap_before_s, b.samples[0, 0]) for b in made] == [
        (0.0, 0.0, 71.0),
        (1.0, 0.0, 72.0),
        (5.0, 3.0, 73.0),
    ]


def test_a_recorded_session_is_a_source(tmp_path: Path) -> None:
    (tmp_path / "strap.ble").write_text(SESSION)
    with open_source(str(tmp_path / "strap.ble")) as source:
        assert isinstance(source, BleSession)
        assert (source.rate_hz, source.description.channel_names) == (1.0, CHANNELS)
        blocks = list(source.blocks())
    rates = [(b.start_s, float(b.samples[0, 0])) for b in blocks]
    assert rates == [(0, 72), (1, 73), (2, 74), (3, 75), (4, 0), (20, 300)]
    np.testing.assert_allclose([b.samples[0, 1] for b in blocks], [1, 1, 1, 0, 1, -1])
    np.testing.assert_allclose([b.samples[0, 2] for b in blocks], [1, 0.875, 0, 0, 0, 0])
    assert [b.gap_before_s for b in blocks] == [0, 0, 0, 0, 0, 15]
    assert source.refused_notifications == 1
    assert [event for _, event in source.events] == ["connected", "disconnected out of range", "connected"]


def test_a_pause_in_a_session_is_a_gap_to_its_health(tmp_path: Path) -> None:
    (tmp_path / "strap.ble").write_text(SESSION)
    source = open_source(str(tmp_path / "strap.ble"))
    monitor = monitor_of(source, HealthLimits(gap_s=3.0, flat_s=None, clip_share=None))
    assert [monitor.see(block).faults for block in source.blocks()] == [(), (), (), (), (), ("gap",)]


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "no notification"), ("1.0 zz", "line 1"), ("soon 06 48", "line 1"), ("nan 06 48", "line 1")],
)
def test_a_file_that_is_no_session_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bad.ble").write_text(text)
    with pytest.raises(DataError, match=said):
        open_source(str(tmp_path / "bad.ble"))


def test_a_sensor_that_goes_and_comes_back_says_so() -> None:
    notifications = [bytes([6, bpm]) for bpm in (60, 61, 62, 63)]
    source = Ble(ADDRESS, bleak(notifications, notifications, BleakError("out of range")), Clock(), 0.0, 20.0)
    said: list[str] = []
    source.on_state = said.append
    source.connect()
    blocks: list[float] = []
    with pytest.raises(SourceLost, match="out of range"):
        blocks.extend(rate for block in source.blocks() for rate in block.samples[:, 0].tolist())
    source.close()
    assert blocks.count(63.0) == 2
    assert [line.split(": ")[1] for line in said] == ["connected", "disconnected"] * 2


def test_a_sensor_that_never_answers_is_refused() -> None:
    source = Ble(ADDRESS, bleak(BleakError("not found")), Clock(), 0.0, 1.0)
    with pytest.raises(DataError, match="does not answer: not found"):
        source.connect()


def test_what_cannot_be_read_is_counted() -> None:
    source = Ble(ADDRESS, bleak([b"\x06", b"\x06\x40"], BleakError("gone")), Clock(), 0.0, 5.0)
    source.connect()
    with pytest.raises(SourceLost, match="gone"):
        list(source.blocks())
    assert source.refused_notifications == 1


@pytest.mark.parametrize("address", ["", "polar", "AA:BB:CC:DD:EE", "AA:BB:CC:DD:EE:GG"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(DataError, match="is not an address"):
        open_source(f"ble:{address}")


def test_without_bleak_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bleak", None)
    with pytest.raises(MissingExtra, match="ble"):
        open_source(f"ble:{ADDRESS}")


def test_the_address_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("bleak")
    vars(module).update(vars(bleak([b"\x06\x40"])))
    monkeypatch.setitem(sys.modules, "bleak", module)
    with open_source(f"ble:{ADDRESS.lower()}") as source:
        assert source.name == f"ble:{ADDRESS}"
        assert next(iter(source.blocks())).samples[0, 0] == 64

"""A microphone that is unplugged, a standard input that stops, libraries that are missing."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pintsize.errors import DataError, MissingExtra, SourceLost, UserError
from pintsize.stream.health import monitor_of
from pintsize.stream.sources import SourceOptions, microphone, open_source, standard_input
from pintsize.stream.sources.standard_input import open_standard_input


class PortAudioError(Exception):
    """As sounddevice's."""


class Sounddevice(ModuleType):
    """A sound card that can 48 kHz only; what it records is in `play`: (samples, overflow, seconds lost)."""

    PortAudioError = PortAudioError

    def __init__(self, play: list[tuple[int, bool, float]], devices: int = 1) -> None:
        super().__init__("sounddevice")
        self.play, self.devices = play, devices
        self.closed = False
        self.finished: Callable[[], None] | None = None

    def query_devices(self, device: Any, kind: str) -> dict[str, float]:
        if not self.devices or isinstance(device, str):
            raise ValueError(f"No {kind} device matching {device!r}")
        return {"max_input_channels": 2, "default_samplerate": 48000.0}

    def check_input_settings(self, samplerate: float, **_: Any) -> None:
        if samplerate != 48000:
            raise PortAudioError("Invalid sample rate")

    def InputStream(self, callback: Any, finished_callback: Any, channels: int, **_: Any) -> Any:  # noqa: N802
        def start() -> None:
            heard_s = 7.0
            for at, (samples, overflow, lost_s) in enumerate(self.play):
                heard_s += lost_s
                buffer = np.full((samples, channels), at, np.int16)
                times = SimpleNamespace(inputBufferAdcTime=heard_s)
                callback(buffer, samples, times, SimpleNamespace(input_overflow=overflow))
                buffer[:] = -1  # the driver uses it again
                heard_s += samples / 48000
            self.finished = finished_callback

        def close() -> None:
            self.closed = True
            finished_callback()

        return SimpleNamespace(start=start, close=close)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Sounddevice]:
    def put_in(*play: tuple[int, bool, float], devices: int = 1) -> Sounddevice:
        made = Sounddevice(list(play), devices)
        monkeypatch.setitem(sys.modules, "sounddevice", made)
        return made

    return put_in


def test_a_microphone_that_is_unplugged(card: Callable[..., Sounddevice]) -> None:
    driver = card((4800, False, 0.0), (4800, False, 0.0))
    with open_source("microphone") as source:
        blocks = source.blocks()
        assert [int(next(blocks).samples[0, 0]) for _ in range(2)] == [0, 1]
        assert driver.finished is not None
        driver.finished()
        with pytest.raises(SourceLost, match=r"the driver stopped, at 0\.2 s. Was it unplugged"):
            next(blocks)
    assert driver.closed


def test_a_microphone_that_falls_silent(
    card: Callable[..., Sounddevice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microphone, "_LOST_AFTER_S", 0.01)
    card((4800, False, 0.0))
    with open_source("microphone") as source, pytest.raises(SourceLost, match="no samples for"):
        list(source.blocks())


def test_what_the_driver_lost_is_a_gap(card: Callable[..., Sounddevice]) -> None:
    card((4800, False, 0.0), (4800, True, 0.25), (4800, False, 0.0))
    with open_source("microphone") as source:
        monitor, blocks = monitor_of(source), source.blocks()
        three = [next(blocks) for _ in range(3)]
    assert [round(block.gap_before_s, 6) for block in three] == [0.0, 0.25, 0.0]
    assert [round(block.start_s, 6) for block in three] == [0.0, 0.35, 0.45]
    assert [monitor.see(block).faults for block in three] == [(), ("gap",), ()]


def test_a_loop_that_is_too_slow_is_told_what_it_lost(
    card: Callable[..., Sounddevice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microphone, "_CAPACITY_S", 0.2)
    card(*[(4800, False, 0.0)] * 5)
    with open_source("microphone") as source:
        blocks = source.blocks()
        assert [int(next(blocks).samples[0, 0]) for _ in range(2)] == [0, 1]
        assert source.dropped_samples == 3 * 4800


def test_a_rate_that_the_card_cannot_is_converted_or_refused(card: Callable[..., Sounddevice]) -> None:
    card((4800, False, 0.0), (4800, False, 0.0))
    with open_source("microphone", SourceOptions(rate_hz=16000.0)) as source:
        assert source.rate_hz == 16000.0
        assert len(next(source.blocks()).samples) in range(1500, 1601)
    for options in (SourceOptions(rate_hz=16000.0, convert=False), SourceOptions(source_rate_hz=16000.0)):
        with pytest.raises(DataError, match=r"48000 Hz and 16000 Hz is needed|Invalid sample rate"):
            open_source("microphone", options)


@pytest.mark.parametrize("text", ["microphone", "microphone:USB"])
def test_no_microphone(card: Callable[..., Sounddevice], text: str) -> None:
    card(devices=0)
    with pytest.raises(DataError, match=f"{text} cannot be opened: No input device"):
        open_source(text)


@pytest.mark.parametrize(
    ("module", "text", "extra"),
    [("sounddevice", "microphone", "audio"), ("soundfile", "a.flac", "audio"), ("pyedflib", "a.edf", "records"),
     ("wfdb", "a.hea", "records"), ("cv2", "a.mp4", "video"), ("paho", "mqtt://host/topic?rate_hz=1", "mqtt")],
)  # fmt: skip
def test_a_library_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, module: str, text: str, extra: str
) -> None:
    if "." in text:
        (tmp_path / text).write_bytes(b"something")
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name == module or name.startswith(f"{module}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=rf"pintsize\[{extra}\]"):
        open_source(text)


def test_a_library_whose_own_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise OSError("PortAudio library not found")

    monkeypatch.setattr("pintsize.stream.sources.library.import_module", fail)
    with pytest.raises(UserError, match=r"PortAudio library not found.*libportaudio2"):
        open_source("microphone")


class TestStandardInput:
    def test_samples_until_the_end(self) -> None:
        sent = np.arange(1000, dtype="<i2").reshape(-1, 2)
        source = open_standard_input("int16@8000x2", SourceOptions(block_s=0.03), io.BytesIO(sent.tobytes()))
        blocks = list(source.blocks())
        assert np.array_equal(np.concatenate([block.samples for block in blocks]), sent)
        assert [round(block.start_s, 6) for block in blocks] == [0.0, 0.03, 0.06]

    def test_the_format_may_stand_in_the_options(self) -> None:
        options = SourceOptions(format="float32", source_rate_hz=100.0)
        sent = np.linspace(-1, 1, 25, dtype="<f4")
        source = open_standard_input("", options, io.BytesIO(sent.tobytes()))
        assert np.array_equal(np.concatenate([block.samples for block in source.blocks()])[:, 0], sent)
        assert source.full_scale == 1.0

    def test_an_end_within_a_sample(self) -> None:
        source = open_standard_input("int16@8000", SourceOptions(), io.BytesIO(b"\0" * 201))
        blocks = source.blocks()
        assert len(next(blocks).samples) == 100
        with pytest.raises(SourceLost, match="ended within a sample, after 100"):
            next(blocks)

    def test_nothing_at_all(self) -> None:
        assert list(open_standard_input("int16@8000", SourceOptions(), io.BytesIO(b"")).blocks()) == []

    def test_an_input_that_falls_silent_gives_heartbeats(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(standard_input, "_SILENT_AFTER_S", 0.001)
        reading, writing = os.pipe()
        with open(reading, "rb") as there, open(writing, "wb") as here:
            source = open_standard_input("int16@8000", SourceOptions(), there)
            blocks = source.blocks()
            assert len(next(blocks).samples) == 0
            here.write(bytes(1600))
            here.close()
            assert sum(len(block.samples) for block in blocks) == 800

"""WAV of every width, and what is wrong with those that are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pintsize.errors import DataError, SourceLost
from pintsize.stream.block import Block
from pintsize.stream.sources import SourceOptions, open_source
from tests.stream.files import tone, wav_bytes, write_wav

RATE_HZ = 8000


def replayed(path: Path, options: SourceOptions | None = None) -> tuple[NDArray[np.generic], float]:
    """All samples, and their full scale."""
    with open_source(str(path), options) as source:
        return np.concatenate([block.samples for block in source.blocks()]), source.full_scale


def in_width(bits: int, kind: int) -> tuple[NDArray[np.generic], float]:
    """Samples as a file of that width holds them, and how far from the signal they may be."""
    signal = tone(1000, RATE_HZ)
    if kind == 3:
        return signal.astype(f"<f{bits // 8}"), 1e-7
    if bits == 8:
        return (np.round(signal * 127) + 128).astype(np.uint8), 1 / 100
    if bits == 16:
        return np.round(signal * 32767).astype("<i2"), 1 / 30000
    return np.round(signal * (2**31 - 1)).astype("<i4"), 1 / 8e6


@pytest.mark.parametrize(("bits", "kind"), [(8, 1), (16, 1), (24, 1), (32, 1), (32, 3), (64, 3)])
def test_every_width(tmp_path: Path, bits: int, kind: int) -> None:
    samples, near = in_width(bits, kind)
    path = tmp_path / "clip.wav"
    path.write_bytes(wav_bytes(samples, RATE_HZ, bits, kind))
    read, full_scale = replayed(path)
    assert read.dtype == (np.int16 if bits <= 16 else np.float32)
    assert np.abs(read[:, 0] / full_scale - tone(1000, RATE_HZ)).max() <= near
    short, _ = replayed(path, SourceOptions(scale="int16"))
    assert short.dtype == np.int16
    assert np.abs(short[:, 0] / 32768 - tone(1000, RATE_HZ)).max() <= near + 1 / 32768


@settings(max_examples=15, deadline=None)
@given(block_s=st.floats(1 / RATE_HZ, 0.3))
def test_blocks_of_any_length_hold_the_same_samples(
    tmp_path_factory: pytest.TempPathFactory, block_s: float
) -> None:
    path = tmp_path_factory.mktemp("clips") / "clip.wav"
    samples = write_wav(path, 0.1, RATE_HZ, channels=2)
    read, _ = replayed(path, SourceOptions(block_s=block_s))
    assert np.array_equal(read, samples)


def test_times_and_indices(tmp_path: Path) -> None:
    write_wav(tmp_path / "clip.wav", 0.25, RATE_HZ)
    with open_source(str(tmp_path / "clip.wav")) as source:
        blocks = list(source.blocks())
    assert [(block.start_s, len(block.samples), block.index) for block in blocks] == [
        (0.0, 800, 0),
        (0.1, 800, 1),
        (0.2, 400, 2),
    ]
    assert (source.rate_hz, source.channels, source.lossless, source.dropped_samples) == (RATE_HZ, 1, True, 0)


@pytest.mark.parametrize("said", [0, 0xFFFFFFFF, 0x7FFFF000])
def test_a_length_that_a_recorder_could_not_know(tmp_path: Path, said: int) -> None:
    samples = np.arange(500, dtype="<i2")
    (tmp_path / "clip.wav").write_bytes(wav_bytes(samples, RATE_HZ, 16, said_bytes=said))
    assert np.array_equal(replayed(tmp_path / "clip.wav")[0][:, 0], samples)


def test_a_file_that_is_cut_short_gives_what_it_has_and_then_says_so(tmp_path: Path) -> None:
    content = wav_bytes(np.arange(1000, dtype="<i2"), RATE_HZ, 16)
    (tmp_path / "clip.wav").write_bytes(content[:-401])
    had: list[Block] = []
    with (
        open_source(str(tmp_path / "clip.wav")) as source,
        pytest.raises(SourceLost, match="after 799 of 1000"),
    ):
        had.extend(source.blocks())
    with open_source(str(tmp_path / "clip.wav")) as source:
        blocks = source.blocks()
        assert len(next(blocks).samples) == 799


def test_float_with_int16_values(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(wav_bytes((tone(1000, RATE_HZ) * 32767).astype("<f4"), RATE_HZ, 32, 3))
    with pytest.raises(DataError, match="full_scale=32768"):
        open_source(str(path))
    read, full_scale = replayed(path, SourceOptions(full_scale=32768.0))
    assert np.abs(read[:, 0] / full_scale).max() < 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a WAV"),
        (b"RIFF", "not a WAV"),
        (b"ID3\x03" + bytes(100), "not a WAV"),
        (wav_bytes(np.zeros(0, "<i2"), RATE_HZ, 16, said_bytes=0), "no samples"),
        (wav_bytes(np.zeros(9, "<i2"), RATE_HZ, 16, kind=7), "mu-law"),
        (wav_bytes(np.zeros(9, "<i2"), RATE_HZ, 16)[:30], "cut short within its header"),
        (wav_bytes(np.zeros(9, "<i2"), 0, 16), "0 Hz"),
        (wav_bytes(np.zeros(9, "<i2"), RATE_HZ, 12), "12 bits"),
    ],
)
def test_what_is_no_wav(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "clip.wav").write_bytes(content)
    with pytest.raises(DataError, match=said):
        open_source(str(tmp_path / "clip.wav"))


@settings(max_examples=40, deadline=None)
@given(at=st.integers(0, 60), byte=st.integers(0, 255), kept=st.integers(0, 140))
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int, kept: int
) -> None:
    content = bytearray(wav_bytes(np.arange(30, dtype="<i2"), RATE_HZ, 16))
    content[at] = byte
    path = tmp_path_factory.mktemp("clips") / "clip.wav"
    path.write_bytes(bytes(content[:kept]))
    try:
        read, _ = replayed(path)
    except (DataError, SourceLost) as error:
        assert str(path) in str(error)  # noqa: PT017
    else:
        assert read.ndim == 2

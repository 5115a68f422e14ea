"""WAV: 8, 16, 24 and 32 bit and float, read without a library.

Source: Multimedia Programming Interface and Data Specifications 1.0, 1991 (RIFF), and its WAVE_FORMAT_EXTENSIBLE.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pintsize.errors import DataError
from pintsize.stream.block import Samples
from pintsize.stream.convert import INT16_FULL_SCALE
from pintsize.stream.sources.described import Description, numbered, own_rate_hz, shown
from pintsize.stream.sources.options import SourceOptions
from pintsize.stream.sources.replay import Replay

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
#: lengths that recorders write who cannot seek back: the samples go on to the file's end
_UNKNOWN_LENGTHS = (0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0x80000000)
_FORMAT_NAMES = {2: "Microsoft ADPCM", 6: "A-law", 7: "mu-law", 17: "IMA ADPCM", 85: "MP3"}
#: a float file that goes beyond this many times ±1 has int16 values in it
_FLOAT_LIMIT = 16.0


@dataclass(frozen=True)
class _Layout:
    rate_hz: int
    channels: int
    bits: int
    is_float: bool
    data_at: int
    frames: int


def open_wav(path: Path, options: SourceOptions) -> Replay:
    """The samples as int16 (8 and 16 bit) or float32 (24 and 32 bit and float), with the full scale that they have.

    Raises DataError for what is not WAV, is compressed, is empty, or is float but not in ±1.
    """
    where = shown(path)
    file = path.open("rb")
    try:
        layout = _layout(file, where)
        full_scale, saturates_at = _scale(layout, options)
        rate_hz = own_rate_hz(float(layout.rate_hz), options, where)
        names = numbered(layout.channels)
        description = Description(where, rate_hz, names, full_scale, saturates_at)
        if layout.is_float and options.full_scale is None:
            _check_float_scale(file, layout, where)
        return Replay(
            description,
            lambda first, stop: _samples(file, layout, first, stop),
            layout.frames,
            options.block_samples(rate_hz),
            close=file.close,
        )
    except BaseException:
        file.close()
        raise


def _layout(file: BinaryIO, where: str) -> _Layout:
    riff, _, wave = struct.unpack("<4sI4s", _exactly(file, 12, where))
    if riff != b"RIFF" or wave != b"WAVE":
        raise DataError(f"{where} is not a WAV file: it begins with {riff!r} where RIFF … WAVE should stand")
    fmt = b""
    while True:
        head = file.read(8)
        if len(head) < 8:
            raise DataError(f"{where} has no samples: it ends before its data chunk")
        name, length = struct.unpack("<4sI", head)
        if name == b"data":
            return _checked(fmt, file.tell(), _data_bytes(file, length), where)
        if name == b"fmt ":
            fmt = _exactly(file, length, where)
            file.seek(length % 2, 1)
        else:
            file.seek(length + length % 2, 1)


def _exactly(file: BinaryIO, count: int, where: str) -> bytes:
    content = file.read(count)
    if len(content) < count:
        raise DataError(f"{where} is not a WAV file, or is cut short within its header")
    return content


def _data_bytes(file: BinaryIO, said: int) -> int:
    if said not in _UNKNOWN_LENGTHS:
        return said
    here = file.tell()
    there = file.seek(0, 2) - here
    file.seek(here)
    return there


def _checked(fmt: bytes, data_at: int, data_bytes: int, where: str) -> _Layout:
    if len(fmt) < 16:
        raise DataError(f"{where} is not a WAV file: its format is missing before its samples")
    kind, channels, rate_hz, _, frame_bytes, bits = struct.unpack("<HHIIHH", fmt[:16])
    if kind == _EXTENSIBLE and len(fmt) >= 26:
        kind = struct.unpack("<H", fmt[24:26])[0]
    if kind not in (_PCM, _FLOAT):
        name = _FORMAT_NAMES.get(kind, f"format {kind}")
        raise DataError(f"{where} is compressed ({name}): save it as PCM or float, or as FLAC")
    allowed = (32, 64) if kind == _FLOAT else (8, 16, 24, 32)
    if bits not in allowed or channels < 1 or frame_bytes != channels * bits // 8:
        raise DataError(
            f"{where} has {bits} bits in {channels} channels, {frame_bytes} bytes a frame: "
            f"{', '.join(map(str, allowed))} bits are read"
        )
    frames = data_bytes // frame_bytes
    if not frames:
        raise DataError(f"{where} has no samples")
    return _Layout(rate_hz, channels, bits, kind == _FLOAT, data_at, frames)


def _scale(layout: _Layout, options: SourceOptions) -> tuple[float, tuple[float, float]]:
    """Full scale, and the lowest and highest value that the file can hold."""
    if layout.is_float:
        full_scale = options.full_scale or 1.0
        return full_scale, (-full_scale, full_scale)
    if options.full_scale is not None:
        raise DataError("full_scale is for float samples; a WAV of integers says its own")
    if layout.bits <= 16:
        top = 127 * 256.0 if layout.bits == 8 else INT16_FULL_SCALE - 1
        return INT16_FULL_SCALE, (-INT16_FULL_SCALE, top)
    return 1.0, (-1.0, 1.0 - 2.0 ** (1 - layout.bits))


def _check_float_scale(file: BinaryIO, layout: _Layout, where: str) -> None:
    step = 1 << 16
    for first in range(0, layout.frames, step):
        samples = _samples(file, layout, first, min(first + step, layout.frames))
        largest = float(np.max(np.abs(samples), where=np.isfinite(samples), initial=0.0))
        if largest > _FLOAT_LIMIT:
            raise DataError(
                f"{where} is float and reaches {largest:g} where ±1 should be full scale. "
                f"Say full_scale=32768 where it holds int16 values"
            )
        if not len(samples):
            return


def _samples(file: BinaryIO, layout: _Layout, first: int, stop: int) -> Samples:
    """Frames first … stop-1, or as many whole ones as there are."""
    frame_bytes = layout.channels * layout.bits // 8
    file.seek(layout.data_at + first * frame_bytes)
    content = file.read((stop - first) * frame_bytes)
    content = content[: len(content) // frame_bytes * frame_bytes]
    return _decoded(content, layout).reshape(-1, layout.channels)


def _decoded(content: bytes, layout: _Layout) -> Samples:
    if layout.is_float:
        return np.frombuffer(content, f"<f{layout.bits // 8}").astype(np.float32)
    if layout.bits == 16:
        return np.frombuffer(content, "<i2").astype(np.int16)
    if layout.bits == 8:  # unsigned, 128 is silence
        return (np.frombuffer(content, np.uint8).astype(np.int16) - 128) * np.int16(256)
    if layout.bits == 32:
        return (np.frombuffer(content, "<i4") / 2.0**31).astype(np.float32)
    bytes_of = np.frombuffer(content, np.uint8).reshape(-1, 3)
    shifted = np.zeros(
        (len(bytes_of), 4), np.uint8
    )  # into the upper three bytes of an int32, which keeps the sign
    shifted[:, 1:] = bytes_of
    return (shifted.view("<i4")[:, 0] / 2.0**31).astype(np.float32)

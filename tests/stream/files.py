"""Small files of every kind, made for a test."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def tone(samples: int, rate_hz: float, pitch_hz: float = 440.0) -> NDArray[np.float64]:
    """A tone of half of full scale with a little noise, so that no two blocks are alike."""
    noise = np.random.default_rng(7).normal(0, 0.002, samples)
    return 0.5 * np.sin(2 * np.pi * pitch_hz * np.arange(samples) / rate_hz) + noise


def wav_bytes(
    samples: NDArray[np.generic], rate_hz: int, bits: int, kind: int = 1, said_bytes: int | None = None
) -> bytes:
    """A WAV of raw frames; kind 1 is PCM and 3 float. 24 bit takes int32 and drops the lowest byte."""
    rows = samples if samples.ndim > 1 else samples[:, None]
    packed = rows.astype("<i4").view(np.uint8).reshape(-1, 4)[:, 1:] if bits == 24 else rows
    content = packed.tobytes()
    frame_bytes = rows.shape[1] * bits // 8
    fmt = struct.pack("<HHIIHH", kind, rows.shape[1], rate_hz, rate_hz * frame_bytes, frame_bytes, bits)
    chunks = b"fmt " + struct.pack("<I", len(fmt)) + fmt + b"LIST" + struct.pack("<I", 3) + b"abc\0"
    chunks += b"data" + struct.pack("<I", len(content) if said_bytes is None else said_bytes) + content
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def write_wav(path: Path, seconds: float = 0.5, rate_hz: int = 16000, channels: int = 1) -> NDArray[np.int16]:
    """A 16-bit WAV of a tone; gives its samples, (n, channels)."""
    samples = np.round(tone(round(seconds * rate_hz), rate_hz) * 32767).astype(np.int16)
    rows = np.stack([samples // (1 + channel) for channel in range(channels)], axis=1)
    path.write_bytes(wav_bytes(rows, rate_hz, 16))
    return rows

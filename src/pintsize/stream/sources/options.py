"""What a user may say about a source beyond its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pintsize.errors import DataError

#: how raw samples lie in a stream of bytes or in a message, little-endian
FORMATS = {"int16": np.dtype("<i2"), "float32": np.dtype("<f4")}


@dataclass(frozen=True)
class SourceOptions:
    """Options of `open_source`. Each has a default that changes nothing.

    rate_hz: the rate that is wanted; another one is converted, or refused with convert=False
    channels: "all", "mean", or which to keep: names (of columns, arrays, leads) or indices
    scale: "source" (as they are), "real" (float32, ±1 is full scale), "int16"
    convert: False refuses a source at another rate instead of converting it
    source_rate_hz: the source's own rate where it cannot say it itself (CSV without times, NPZ, raw input)
    full_scale: what ±1 is in the source's samples, where they are not what their type says
    block_s: how much a block holds
    paced: a file is replayed as fast as it was recorded, not as fast as possible
    format: of raw input: int16 or float32 (little-endian), and json for MQTT
    raw_channels: how many channels raw input has, interleaved
    Raises DataError when built with what is not possible.
    """

    rate_hz: float | None = None
    channels: Literal["all", "mean"] | tuple[int | str, ...] = "all"
    scale: Literal["source", "real", "int16"] = "source"
    convert: bool = True
    source_rate_hz: float | None = None
    full_scale: float | None = None
    block_s: float = 0.1
    paced: bool = False
    format: Literal["int16", "float32", "json"] | None = None
    raw_channels: int = 1

    def __post_init__(self) -> None:
        for name in ("rate_hz", "source_rate_hz", "full_scale", "block_s"):
            value = getattr(self, name)
            if value is not None and not (value > 0 and np.isfinite(value)):
                raise DataError(f"{name}={value:g}: must be above 0")
        if self.raw_channels < 1:
            raise DataError(f"raw_channels={self.raw_channels}: at least 1")
        if self.format not in (None, "int16", "float32", "json"):
            raise DataError(f"format={self.format!r} is not known: int16, float32 or json")
        if isinstance(self.channels, str) and self.channels not in ("all", "mean"):
            raise DataError(f"channels={self.channels!r}: all, mean, or a tuple of names or indices")
        if not self.channels:
            raise DataError("channels=(): at least one is needed")
        if self.scale not in ("source", "real", "int16"):
            raise DataError(f"scale={self.scale!r} is not known: source, real or int16")

    def block_samples(self, rate_hz: float) -> int:
        """How many samples a block holds at this rate: one at least."""
        return max(1, round(self.block_s * rate_hz))

"""What a message over MQTT holds: samples, and when they were taken if it says so.

JSON: `3.5`, `[1, 2, 3]` (samples one after another; with several channels a row each), or an object with `samples`,
`values` or `value`, or a field for each channel, and perhaps `time_s`, `time`, `timestamp`, `ts` or `t`: seconds,
milliseconds since 1970, or written as in ISO 8601. Raw: interleaved int16 or float32, little-endian.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pintsize.errors import DataError
from pintsize.stream.block import Samples
from pintsize.stream.sources.options import FORMATS
from pintsize.stream.sources.written_times import read_times

_SAMPLES = ("samples", "values", "value")
_TIMES = ("time_s", "time", "timestamp", "ts", "t")


@dataclass(frozen=True, eq=False)
class Message:
    """samples: (n, channels) int16 or float32; time_s: of the first; None where the message has none"""

    samples: Samples
    time_s: float | None


def read_message(payload: bytes, format_: str, names: Sequence[str]) -> Message:
    """names: of the channels, in order. Raises DataError for a message that is not as it should be."""
    if format_ in FORMATS:
        return Message(_raw(payload, FORMATS[format_], len(names)), None)
    try:
        content = json.loads(payload)
    except ValueError as error:  # UnicodeDecodeError is one too
        raise DataError(f"a message is not JSON: {payload[:40]!r}") from error
    fields = content if isinstance(content, dict) else {"samples": content}
    return Message(_samples(_values(fields, names), len(names)), _time_s(fields))


def _raw(payload: bytes, dtype: np.dtype[Any], channels: int) -> Samples:
    if not payload or len(payload) % (dtype.itemsize * channels):
        raise DataError(
            f"a message of {len(payload)} bytes is no whole number of samples of {channels} channels"
        )
    return np.frombuffer(payload, dtype).reshape(-1, channels).astype(dtype.newbyteorder("="))


def _values(fields: dict[str, Any], names: Sequence[str]) -> Any:
    for name in _SAMPLES:
        if name in fields and name not in names:
            return fields[name]
    if all(name in fields for name in names):
        return [[fields[name] for name in names]]
    said = ", ".join(sorted(fields)) or "nothing"
    raise DataError(f"a message has {said}; due are samples, values or value, or {', '.join(names)}")


def _samples(values: Any, channels: int) -> Samples:
    try:
        samples = np.array(values, np.float32)  # null becomes NaN
    except (TypeError, ValueError) as error:
        raise DataError(f"a message's values are no numbers: {str(values)[:60]}") from error
    if samples.ndim == 0 and channels == 1:
        return samples.reshape(1, 1)
    if samples.ndim == 1 and samples.size:
        if channels == 1:
            return samples.reshape(-1, 1)
        if samples.size == channels:
            return samples.reshape(1, channels)
    if samples.ndim == 2 and samples.size and samples.shape[1] == channels:
        return samples
    raise DataError(f"a message's values are of shape {samples.shape}; due are {channels} channels")


def _time_s(fields: dict[str, Any]) -> float | None:
    said = next((fields[name] for name in _TIMES if fields.get(name) is not None), None)
    if said is None:
        return None
    seconds = float(read_times([str(said)], "", "a message", _number)[0])
    if not np.isfinite(seconds):
        raise DataError(f"a message's time is not one: {said!r}")
    return seconds


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")

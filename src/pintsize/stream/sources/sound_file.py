"""FLAC, OGG, AIFF and whatever else libsndfile reads, through soundfile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pintsize.errors import DataError
from pintsize.stream.block import Samples
from pintsize.stream.convert import INT16_FULL_SCALE
from pintsize.stream.sources.described import Description, numbered, own_rate_hz, shown
from pintsize.stream.sources.library import library
from pintsize.stream.sources.options import SourceOptions
from pintsize.stream.sources.replay import Replay

#: how libsndfile calls what int16 holds exactly
_SHORT = ("PCM_16", "PCM_S8", "PCM_U8")


def open_sound_file(path: Path, options: SourceOptions) -> Replay:
    """The samples as int16 where the file has no more bits, else as float32 in ±1.

    Raises DataError for what libsndfile does not read, MissingExtra without soundfile.
    """
    where = shown(path)
    soundfile = library("soundfile")
    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        raise DataError(f"{where} cannot be read as sound: {error.error_string}") from error
    short = file.subtype in _SHORT
    rate_hz = own_rate_hz(float(file.samplerate), options, where)
    full_scale = INT16_FULL_SCALE if short else 1.0
    top = INT16_FULL_SCALE - 1 if short else 1.0
    description = Description(where, rate_hz, numbered(file.channels), full_scale, (-full_scale, top))
    if not file.frames:
        file.close()
        raise DataError(f"{where} has no samples")
    dtype = "int16" if short else "float32"
    return Replay(
        description,
        lambda first, stop: _samples(file, soundfile, first, stop, dtype),
        file.frames,
        options.block_samples(rate_hz),
        close=file.close,
    )


def _samples(file: Any, soundfile: Any, first: int, stop: int, dtype: str) -> Samples:
    """Frames first … stop-1; fewer, where the file cannot be decoded any further."""
    try:
        if file.tell() != first:
            file.seek(first)
        return file.read(stop - first, dtype=dtype, always_2d=True)
    except soundfile.LibsndfileError:
        return np.zeros((0, file.channels), dtype)

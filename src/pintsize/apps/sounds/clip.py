"""One clip: whatever rate, channels and scale its file has, it comes as mono at 16 kHz."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.errors import DataError
from pintsize.stream.convert import INT16_FULL_SCALE, as_int16
from pintsize.stream.sources import open_source
from pintsize.stream.sources.options import SourceOptions

#: of every clip here
RATE_HZ = 16_000

Clip = NDArray[np.float32]


def read_clip(path: str | Path, rate_hz: float = RATE_HZ) -> Clip:
    """A sound file as float32 (n,), the mean of its channels, ±1 full scale, at `rate_hz`.

    Raises DataError for a file that is not there, is no sound or is empty; MissingExtra without soundfile.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path} is not there: a sound file (.wav, .flac, …) is needed")
    options = SourceOptions(rate_hz=rate_hz, channels="mean", scale="real", block_s=10.0)
    with open_source(str(path.absolute()), options) as source:
        blocks = [block.samples[:, 0] for block in source.blocks()]
    if not sum(map(len, blocks)):
        raise DataError(f"{path} is empty: it has no sound in it")
    return np.nan_to_num(np.concatenate(blocks).astype(np.float32, copy=False))


def as_codes(clip: NDArray[np.floating]) -> NDArray[np.int16]:
    """Samples of ±1 as int16, which is what an artifact takes: rounded half to even, saturated."""
    return as_int16(np.asarray(clip, np.float64) * INT16_FULL_SCALE)

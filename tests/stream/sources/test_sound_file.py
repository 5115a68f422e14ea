"""FLAC through soundfile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pintsize.errors import DataError, SourceLost
from pintsize.stream.sources import SourceOptions, open_source
from tests.stream.files import tone

soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed (extra audio)")


@pytest.mark.parametrize(("subtype", "dtype"), [("PCM_16", np.int16), ("PCM_24", np.float32)])
def test_flac(tmp_path: Path, subtype: str, dtype: type) -> None:
    both = np.stack([tone(8000, 8000), tone(8000, 8000, 200.0)], axis=1)
    soundfile.write(tmp_path / "clip.flac", both, 8000, subtype=subtype)
    with open_source(str(tmp_path / "clip.flac"), SourceOptions(block_s=0.03)) as source:
        samples = np.concatenate([block.samples for block in source.blocks()])
    assert (samples.dtype, samples.shape, source.rate_hz) == (np.dtype(dtype), (8000, 2), 8000.0)
    assert np.abs(samples / source.full_scale - both).max() < 1e-4


def test_a_flac_that_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "clip.flac"
    soundfile.write(path, tone(80000, 8000), 8000)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    had: list[int] = []
    with open_source(str(path)) as source, pytest.raises(SourceLost, match="cut short"):
        had.extend(len(block.samples) for block in source.blocks())
    assert 20000 < sum(had) < 60000


def test_what_is_no_sound(tmp_path: Path) -> None:
    (tmp_path / "clip.flac").write_bytes(b"fLaC and then nothing")
    with pytest.raises(DataError, match="cannot be read as sound"):
        open_source(str(tmp_path / "clip.flac"))

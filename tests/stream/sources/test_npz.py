"""NPZ: which arrays are samples, their rate, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pintsize.errors import DataError
from pintsize.stream.sources import SourceOptions, open_source
from pintsize.stream.sources.described import Described

DATA = Path(__file__).parents[4] / "shared" / "data"
ECG = (np.random.default_rng(0).normal(size=1000) * 300).astype(np.int16)


def opened(folder: Path, options: SourceOptions | None = None, **arrays: object) -> Described:
    np.savez(folder / "record.npz", **arrays)  # type: ignore[arg-type]
    source = open_source(str(folder / "record.npz"), options)
    assert isinstance(source, Described)
    return source


def samples(source: Described) -> np.ndarray:
    return np.concatenate([block.samples for block in source.blocks()])


def test_samples_with_their_rate_and_labels_beside(tmp_path: Path) -> None:
    source = opened(tmp_path, ecg=ECG, fs=180, beats=np.arange(50), lead="MLII")
    assert (source.rate_hz, source.full_scale, source.description.channel_names) == (180.0, 32768.0, ("ecg",))
    assert samples(source).dtype == np.int16
    assert np.array_equal(samples(source)[:, 0], ECG)


def test_several_arrays_side_by_side(tmp_path: Path) -> None:
    both = {"ppg": ECG / 1000, "acc": np.stack([ECG, -ECG], axis=1), "rate_hz": 50.0}
    source = opened(tmp_path, **both)
    assert source.description.channel_names == ("ppg", "acc[0]", "acc[1]")
    assert samples(source).dtype == np.float32
    assert source.full_scale == 1.0
    picked = opened(tmp_path, SourceOptions(channels=("acc",)), **both)
    assert np.array_equal(samples(picked), both["acc"])


def test_times_beside_the_samples(tmp_path: Path) -> None:
    times = np.arange(1000) / 100
    times[500:] += 2
    blocks = list(opened(tmp_path, x=ECG, t=times).blocks())
    assert [round(block.gap_before_s, 6) for block in blocks if block.gap_before_s] == [2.0]


@pytest.mark.parametrize(
    ("arrays", "options", "said"),
    [
        ({"x": ECG}, SourceOptions(), "does not say its rate"),
        ({"x": ECG, "fs": 0}, SourceOptions(), "a rate is above 0"),
        ({"x": ECG, "fs": 50}, SourceOptions(source_rate_hz=100.0), "not at 100 Hz"),
        ({"x": ECG, "y": ECG[:700], "fs": 50}, SourceOptions(), "several lengths; say which"),
        ({"x": ECG, "y": ECG[:700], "fs": 50}, SourceOptions(channels=("x", "y")), "not of one length"),
        ({"x": ECG, "fs": 50}, SourceOptions(channels=("z",)), "no array 'z'; it has x"),
        ({"name": "nobody"}, SourceOptions(), "no arrays of samples"),
        ({"x": np.array([{}], object), "fs": 50}, SourceOptions(), "not an NPZ of numbers"),
        ({"x": np.zeros(0), "fs": 50}, SourceOptions(), "no arrays of samples"),
    ],
)
def test_what_is_refused(
    tmp_path: Path, arrays: dict[str, object], options: SourceOptions, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        opened(tmp_path, options, **arrays)


@pytest.mark.parametrize("kept", [0, 10, 300])
def test_a_file_that_is_cut_short(tmp_path: Path, kept: int) -> None:
    opened(tmp_path, x=ECG, fs=50)
    path = tmp_path / "record.npz"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match="not an NPZ of numbers"):
        open_source(str(path))


def test_a_real_record() -> None:
    path = DATA / "ecg_mitbih" / "101.npz"
    if not path.is_file():
        pytest.skip("no ../shared/data/ecg_mitbih: real recordings are missing")
    with open_source(str(path), SourceOptions(rate_hz=90.0, block_s=1.0)) as source:
        assert sum(len(block.samples) for block in source.blocks()) == 162500

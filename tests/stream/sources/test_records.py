"""EDF and WFDB records, written with the libraries that read them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pintsize.errors import DataError
from pintsize.stream.sources import SourceOptions, open_source
from pintsize.stream.sources.described import Described
from tests.stream.files import tone

pyedflib = pytest.importorskip("pyedflib", reason="pyedflib is not installed (extra records)")
pytest.importorskip("wfdb", reason="wfdb is not installed (extra records)")

LEAD = tone(2000, 200, 3.0)


def write_edf(path: Path, rates_hz: tuple[int, ...] = (200, 200)) -> None:
    with pyedflib.EdfWriter(str(path), len(rates_hz), file_type=pyedflib.FILETYPE_EDF) as writer:
        for at, rate_hz in enumerate(rates_hz):
            writer.setSignalHeader(at, {
                "label": f"ECG {at}", "dimension": "mV", "sample_frequency": rate_hz, "physical_max": 5.0,
                "physical_min": -5.0, "digital_max": 32767, "digital_min": -32768, "transducer": "", "prefilter": "",
            })  # fmt: skip
        writer.writeSamples(
            [tone(10 * rate_hz, rate_hz, 3.0) * (at + 1) for at, rate_hz in enumerate(rates_hz)]
        )


def write_wfdb(folder: Path) -> Path:
    """Two leads of 200 units a millivolt and 16 bits, as the WFDB applications write them."""
    both = np.round(np.stack([LEAD, LEAD / 2], axis=1) * 200).astype("<i2")
    (folder / "100.dat").write_bytes(both.tobytes())
    leads = [f"100.dat 16 200/mV 16 0 {both[0, at]} 0 0 {name}" for at, name in enumerate(["MLII", "V5"])]
    (folder / "100.hea").write_text("\n".join(["100 2 200 2000", *leads]) + "\n")
    return folder / "100.dat"


def replayed(text: Path, options: SourceOptions | None = None) -> tuple[Described, np.ndarray]:
    source = open_source(str(text), options)
    assert isinstance(source, Described)
    with source:
        return source, np.concatenate([block.samples for block in source.blocks()])


def test_edf(tmp_path: Path) -> None:
    write_edf(tmp_path / "night.edf")
    source, samples = replayed(tmp_path / "night.edf")
    assert (source.rate_hz, source.full_scale, source.saturates_at) == (200.0, 1.0, (-5.0, 5.0))
    assert source.description.channel_names == ("ECG 0", "ECG 1")
    assert np.abs(samples - np.stack([LEAD, 2 * LEAD], axis=1)).max() < 2e-4
    assert np.array_equal(
        replayed(tmp_path / "night.edf", SourceOptions(channels=("ecg 1",)))[1], samples[:, 1:]
    )


def test_edf_of_several_rates(tmp_path: Path) -> None:
    write_edf(tmp_path / "night.edf", (200, 50))
    with pytest.raises(DataError, match="ECG 0 200 Hz, ECG 1 50 Hz"):
        open_source(str(tmp_path / "night.edf"))
    source, samples = replayed(tmp_path / "night.edf", SourceOptions(channels=(1,)))
    assert (source.rate_hz, len(samples)) == (50.0, 500)


@pytest.mark.parametrize("kept", [0, 100, 3000])
def test_an_edf_that_is_cut_short(tmp_path: Path, kept: int) -> None:
    write_edf(tmp_path / "night.edf")
    path = tmp_path / "night.edf"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"night\.edf cannot be read as EDF"):
        open_source(str(path))


@pytest.mark.parametrize("name", ["100.dat", "100.hea", "100"])
def test_wfdb(tmp_path: Path, name: str) -> None:
    write_wfdb(tmp_path)
    source, samples = replayed(tmp_path / name)
    assert (source.rate_hz, source.description.channel_names) == (200.0, ("MLII", "V5"))
    assert np.abs(samples - np.stack([LEAD, LEAD / 2], axis=1)).max() <= 0.0025 + 1e-6
    assert source.saturates_at == (-163.84, 163.835)
    assert replayed(tmp_path / name, SourceOptions(channels=("V5",)))[1].shape == (2000, 1)


def test_wfdb_without_its_header_and_cut_short(tmp_path: Path) -> None:
    path = write_wfdb(tmp_path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match="WFDB"):
        open_source(str(path))
    (tmp_path / "100.hea").unlink()
    with pytest.raises(DataError, match=r"header .*100\.hea is not there"):
        open_source(str(path))


def test_a_wfdb_header_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "100.hea").write_text("nothing of this kind\n")
    with pytest.raises(DataError, match="WFDB"):
        open_source(str(tmp_path / "100.hea"))

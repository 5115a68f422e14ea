"""Units, leads and rates: told by the file or the user, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.ecg.pieces import Pieces
from pintsize.apps.ecg.units import opened, written_unit
from pintsize.errors import DataError, UserError
from tests.apps.ecg.hearts import counts, heart, steady
from tests.apps.ecg.playing import played

MILLIVOLTS = heart(steady(30))


def saved_csv(path: Path, values: np.ndarray, name: str = "ecg") -> Path:
    rows = [f"{at / 180:.5f},{value:.6g}" for at, value in enumerate(values)]
    path.write_text("\n".join([f"time,{name}", *rows]) + "\n")
    return path


def saved_edf(path: Path, values: np.ndarray, unit: str) -> Path:
    pyedflib = pytest.importorskip("pyedflib")
    peak = {"V": 0.005, "mV": 5.0, "uV": 5000.0}[unit]
    with pyedflib.EdfWriter(str(path), 1, file_type=pyedflib.FILETYPE_EDF) as writer:
        writer.setSignalHeader(0, {
            "label": "MLII", "dimension": unit, "sample_frequency": 180, "physical_max": peak, "physical_min": -peak,
            "digital_max": 32767, "digital_min": -32768, "transducer": "", "prefilter": "",
        })  # fmt: skip
        writer.writeSamples([values])
    return path


def saved_wfdb(folder: Path, unit: str) -> Path:
    """A breath in no unit of voltage, then the lead, 0.2 units of a µV each."""
    breath = np.round(3000 * np.sin(np.arange(len(MILLIVOLTS)) / 100))
    both = np.stack([breath, np.round(MILLIVOLTS * 200)], axis=1).astype("<i2")
    (folder / "r.dat").write_bytes(both.tobytes())
    lines = ["r 2 180", "r.dat 16 200/pm 16 0 0 0 0 resp", f"r.dat 16 0.2/{unit} 16 0 0 0 0 lead II"]
    (folder / "r.hea").write_text("\n".join([lines[0] + f" {len(both)}", *lines[1:]]) + "\n")
    return folder / "r.dat"


def triage_of(pieces: Pieces, path: Path, **said: object) -> tuple[str, str]:
    """What should be done, and where the unit is known from."""
    source, told = opened(str(path), **said)  # type: ignore[arg-type]
    with source:
        return played(source, pieces).study.triage.name, told


def test_whole_numbers_are_counts_of_5_uv_and_it_is_said(hearts: Pieces, tmp_path: Path) -> None:
    np.savez(tmp_path / "r.npz", ecg=counts(MILLIVOLTS), fs=180)
    name, told = triage_of(hearts, tmp_path / "r.npz")
    assert (name, "counts of 5 µV" in told) == ("normal", True)


@pytest.mark.parametrize(("unit", "factor"), [("mV", 1.0), ("uV", 1000.0), ("V", 0.001)])
def test_what_the_file_says_is_taken(unit: str, factor: float, hearts: Pieces, tmp_path: Path) -> None:
    table = saved_csv(tmp_path / "r.csv", MILLIVOLTS * factor, f"lead ({unit})")
    edf = saved_edf(tmp_path / "r.edf", MILLIVOLTS * factor, unit)
    np.savez(tmp_path / "r.npz", ecg=MILLIVOLTS * factor, fs=180, unit=unit)
    for path in (table, edf, tmp_path / "r.npz"):
        assert triage_of(hearts, path) == ("normal", f"values are {unit}, as the file says")


def test_what_the_user_says_comes_first(hearts: Pieces, tmp_path: Path) -> None:
    plain = saved_csv(tmp_path / "r.csv", MILLIVOLTS * 1000)
    assert triage_of(hearts, plain, unit="µV")[0] == "normal"
    converter = saved_csv(tmp_path / "c.csv", MILLIVOLTS * 341)
    assert triage_of(hearts, converter, counts_per_mv=341.0)[0] == "normal"


@pytest.mark.parametrize(("factor", "reason"), [(1000.0, "unit is wrong"), (0.001, "lead off")])
def test_a_wrong_unit_is_not_judged_and_named(
    factor: float, reason: str, hearts: Pieces, tmp_path: Path
) -> None:
    source, _ = opened(str(saved_csv(tmp_path / "r.csv", MILLIVOLTS * factor)))
    with source:
        done = played(source, hearts)
    assert done.of("beat") == []
    assert done.study.triage.name == "repeat"
    assert any(reason in (d.reason or "") for d in done.of("quality"))


def test_a_lead_of_a_wfdb_record_is_read_in_its_own_unit(hearts: Pieces, tmp_path: Path) -> None:
    pytest.importorskip("wfdb")
    path = saved_wfdb(tmp_path, "uV")
    for lead in ("lead II", "1"):
        assert triage_of(hearts, path, lead=lead) == ("normal", "values are uV, as the file says")
    assert written_unit(tmp_path / "r") is None


def test_a_lead_is_chosen_by_name(hearts: Pieces, tmp_path: Path) -> None:
    np.savez(tmp_path / "r.npz", V1=np.zeros(len(MILLIVOLTS), np.int16), II=counts(MILLIVOLTS), fs=180)
    assert triage_of(hearts, tmp_path / "r.npz", lead="II")[0] == "normal"
    assert triage_of(hearts, tmp_path / "r.npz", lead="1")[0] == "normal"
    with pytest.raises(DataError, match="III"):
        opened(str(tmp_path / "r.npz"), lead="III")


def test_a_rate_that_is_not_known_or_too_low_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "r.npz", ecg=counts(MILLIVOLTS))
    with pytest.raises(DataError, match="does not say its rate"):
        opened(str(tmp_path / "r.npz"))
    with pytest.raises(DataError, match=r"50 Hz: an ECG needs at least 100 Hz.*--source-rate-hz"):
        opened(str(tmp_path / "r.npz"), source_rate_hz=50.0)
    np.savez(tmp_path / "s.npz", ecg=counts(MILLIVOLTS), fs=180)
    with pytest.raises(DataError, match="is at 180 Hz, not at 360 Hz"):
        opened(str(tmp_path / "s.npz"), source_rate_hz=360.0)


def test_options_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    path = str(saved_csv(tmp_path / "r.csv", MILLIVOLTS))
    with pytest.raises(UserError, match="not both"):
        opened(path, unit="mV", counts_per_mv=200.0)
    with pytest.raises(UserError, match="'kV' is not known: V, mV, uV"):
        opened(path, unit="kV")
    with pytest.raises(UserError, match="more than 0"):
        opened(path, counts_per_mv=0.0)

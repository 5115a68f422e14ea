"""`pintsize app ecg …` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pintsize.apps.ecg import application
from pintsize.apps.ecg.commands import commands
from pintsize.apps.ecg.pieces import Pieces
from pintsize.errors import OfflineRefusal, UserError
from tests.apps.ecg.hearts import counts, heart, steady


@pytest.fixture(autouse=True)
def _drawn(hearts: Pieces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "load_pieces", lambda weights: hearts)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "recording.npz"
    beats = [*steady(12), *[("V", 0.4)] * 4, ("N", 1.2), *steady(8)]
    np.savez(path, ecg=counts(heart(beats)), fs=180)
    return path


def run(*arguments: object) -> str:
    """Raises what `pintsize` would tell its user, as exit code 2."""
    done = CliRunner().invoke(commands, list(map(str, arguments)), env={"COLUMNS": "200"})
    if isinstance(done.exception, UserError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def decisions(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_recording_is_read_told_and_written(recording: Path, tmp_path: Path) -> None:
    told = run(
        "--source", recording, "--json", tmp_path / "told", "--page", tmp_path / "page.html", "--fhir",
        tmp_path / "fhir.json", "--report", tmp_path / "report",
    )  # fmt: skip
    assert "A screening aid, not a diagnosis" in told
    assert "ventricular tachycardia" in told
    assert "counts of 5 µV" in told
    assert sum(d["kind"] == "beat" for d in decisions(tmp_path / "told")) == 30
    assert "urgent" in (tmp_path / "page.html").read_text()
    assert json.loads((tmp_path / "fhir.json").read_text())["resourceType"] == "Bundle"
    assert json.loads((tmp_path / "report").read_text())["stages"][0]["name"] == "classes"


def test_beats_are_shown_when_asked_for(recording: Path) -> None:
    shown, quiet = run("--source", recording, "--beats"), run("--source", recording)
    lines = [line for line in shown.splitlines() if " beat " in line]
    assert len(lines) == 30
    assert not [line for line in quiet.splitlines() if line.lstrip()[:1].isdigit() and " beat " in line]


def test_every_fault_at_once_ends_without_a_crash(recording: Path, tmp_path: Path) -> None:
    run("--source", recording, "--faults", "all", "--seed", 1, "--json", tmp_path / "told")
    told = decisions(tmp_path / "told")
    assert all(d.get("reason") for d in told if d["value"] is None)
    assert told[-1]["kind"] == "triage"


def test_a_folder_has_a_triage_for_each_recording(recording: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.npz").write_bytes(recording.read_bytes())
    np.savez(folder / "b.npz", ecg=counts(heart(steady(20))), fs=180)
    run("--source", folder, "--json", tmp_path / "told")
    triages = [d["value"] for d in decisions(tmp_path / "told") if d["kind"] == "triage"]
    assert triages == ["urgent", "normal"]


def test_what_cannot_be_is_refused(recording: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--source is missing"):
        run("--faults", "gap")
    with pytest.raises(UserError, match="is not there"):
        run("--source", tmp_path / "nothing.csv")
    with pytest.raises(OfflineRefusal):
        run("--source", recording, "--mqtt", "mqtt://localhost")
    with pytest.raises(UserError, match="no fault"):
        run("--source", recording, "--faults", "earthquake")


def test_a_build_for_a_rate_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--rate-hz 251"):
        run("build", "--rate-hz", 251, "--out", tmp_path / "out")

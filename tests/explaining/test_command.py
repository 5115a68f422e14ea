"""`pintsize explain` as a user meets it, and the options that it recommends: they exist."""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import typer
from rich.console import Console

import pintsize
from pintsize import cli, explaining
from pintsize.compress.prune import Prune
from pintsize.compress.quantize import Quantize
from pintsize.explaining.record import FILE, Record, record_file
from pintsize.read.layout import Layout
from tests.explaining.conftest import Digits

ROOT = Path(__file__).parents[2]


@pytest.fixture
def finished(digits: Digits, tmp_path: Path) -> Path:
    student = Quantize(layer_bits={digits.convolutions[2].name: 2}).annotate(digits.graph, digits.calibration)
    kept = Record.of(student, digits.graph, digits.judged, digits.calibration, "classes", Layout.IMAGE)
    folder = tmp_path / "out"
    folder.mkdir()
    shutil.copy(ROOT / "tests" / "report" / "sample_report.json", folder / "report.json")
    (folder / FILE).write_bytes(record_file(kept))
    return folder


def ran(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What the command printed; it must not have failed."""
    monkeypatch.setattr(sys, "argv", ["pintsize", *map(str, arguments)])
    monkeypatch.setattr(cli, "console", Console(width=200))
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert not left.value.code
    return capsys.readouterr().out


def test_it_prints_and_keeps_what_it_found(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = ran(monkeypatch, capsys, "explain", finished)
    assert "1. narrow weights at features.6" in shown
    assert "fix: --layer-bits features.6=8" in shown
    kept = json.loads((finished / "explanation.json").read_text())
    assert kept["causes"][0]["kind"] == "narrow weights"
    page = (finished / "report.html").read_text()
    assert "Where the accuracy went" in page
    assert "--layer-bits features.6=8" in page
    ran(monkeypatch, capsys, "report", finished)  # writes the page anew, and does not forget
    assert (finished / "report.html").read_text() == page


def test_other_data_on_the_command_line(
    finished: Path, digits: Digits, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    x = digits.judged.x.transpose(0, 3, 1, 2) * np.float32(8)
    np.savez(finished.parent / "bright.npz", x=x, y=digits.judged.y)
    shown = ran(monkeypatch, capsys, "explain", finished, "--data", finished.parent / "bright.npz")
    assert "1. calibration differs at the input" in shown


def test_every_option_that_is_recommended_exists() -> None:
    text = "".join(p.read_text() for p in Path(explaining.__file__).parent.glob("*.py"))
    text += (ROOT / "docs" / "how-to" / "explain-the-loss.md").read_text()
    command = typer.main.get_command(cli.app)
    options = {o for name in ("shrink", "explain") for p in command.commands[name].params for o in p.opts}  # type: ignore[attr-defined]
    named = set(re.findall(r"(?<![-\w])--[a-z]+(?:-[a-z]+)*", text))
    assert {"--layer-bits", "--max-drop", "--effort", "--data", "--flash"} <= named <= options
    for method in (Quantize, Prune):
        used = set(re.findall(rf"\b{method.__name__}\((\w+)=", text))
        assert used
        assert used <= {f.name for f in fields(method)}
    assert set(re.findall(r'calibration="(\w+)"', text)) == {"percentile", "min_max"}
    assert pintsize.Quantize(calibration="percentile") != pintsize.Quantize(calibration="min_max")

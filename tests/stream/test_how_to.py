"""What docs/how-to/run-on-live-signals.md says, done."""

from __future__ import annotations

import json
import re
import wave as wave_file
from pathlib import Path

import numpy as np
import pytest

from pintsize.stream import decision
from tests.stream.tiny_artifact import write_tiny

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "run-on-live-signals.md"


def test_the_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    write_tiny(tmp_path / "out")
    samples = np.random.default_rng(0).integers(-200, 200, 1600).astype("<i2")
    samples[800:1200] = np.random.default_rng(1).integers(30000, 32000, 400)
    with wave_file.open(str(tmp_path / "clip.wav"), "wb") as clip:
        clip.setparams((1, 2, 1600, 0, "NONE", ""))
        clip.writeframes(samples.tobytes())
    monkeypatch.chdir(tmp_path)
    exec(compile(example, PAGE.name, "exec"), {})
    shown = capsys.readouterr().out
    report = json.loads(shown[shown.index("{") :])
    assert report["run"]["steps"] == 799
    lines = [json.loads(line) for line in (tmp_path / "decisions.jsonl").read_text().splitlines()]
    assert [line["value"] for line in lines if line["kind"] == "detected"] == ["up"]
    assert 0.5 < lines[0]["time_s"] < 0.75


def test_every_stage_it_names_is_there() -> None:
    named = re.findall(r"^\| `(\w+)`(?:, `(\w+)`)? \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(named) == 8
    assert all(hasattr(decision, name) for pair in named for name in pair if name)

"""The table of all pieces' metrics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from pintsize.apps.assistant import evaluation
from pintsize.apps.assistant.evaluation import evaluate, wake_word_load
from pintsize.errors import DataError
from pintsize.stream.manifest import Manifest, read_manifest


@pytest.fixture
def manifest(tone_folder: Path) -> Manifest:
    shipped = read_manifest(tone_folder)
    figures = {"latency_ms": 2.0, "instructions": 300_000}
    return replace(shipped, content={**shipped.content, "figures": figures})


def test_the_load_is_what_a_step_takes_over_how_often_it_runs(manifest: Manifest) -> None:
    found = wake_word_load(manifest)  # a step every 20 ms
    assert found["wake_word_share_of_cortex_m4"] == pytest.approx(0.1)
    assert found["wake_word_share_of_raspberrypi4_core"] == pytest.approx(300_000 * 50 / 1.5e9)


def test_what_has_no_data_is_left_out_and_told(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(data: Path) -> dict[str, float]:
        raise DataError("no such data set")

    def measured(name: str) -> ModuleType | SimpleNamespace:
        return SimpleNamespace(
            evaluate=missing if ".orders." in name else lambda data: {name.split(".")[-2]: 1.0}
        )

    lines: list[str] = []
    monkeypatch.setattr(evaluation, "import_module", measured)
    monkeypatch.setattr(evaluation, "read_manifest", lambda folder: manifest)
    found = evaluate(tmp_path, lines.append)
    assert [name for name in found if "share" not in name] == ["wake", "digits", "text"]
    assert "orders is left out: no such data set" in lines


def test_without_any_data_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(data: Path) -> dict[str, float]:
        raise DataError("no such data set")

    monkeypatch.setattr(evaluation, "import_module", lambda name: SimpleNamespace(evaluate=missing))
    with pytest.raises(DataError, match="none of the data sets"):
        evaluate(tmp_path)

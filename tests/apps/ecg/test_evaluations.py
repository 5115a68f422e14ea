"""Both evaluations on records that are drawn: which part they take, what they count, the same twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.ecg.beats import evaluation as beats
from pintsize.apps.ecg.beats.records import FOLDER, read_record, unseen_records
from pintsize.apps.ecg.classes import evaluation as classes
from pintsize.apps.ecg.classes.figures import LABELS, class_figures, confusion
from pintsize.errors import DataError
from tests.apps.ecg.records import write_records

RHYTHM = [("N", 0.8)] * 6 + [("V", 0.5), ("N", 1.1)]
SPLIT = {"train": [1], "test": [2, 3], "heldout": [4]}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_records(tmp_path_factory.mktemp("data"), SPLIT, RHYTHM * 6)


def test_the_part_held_out_is_taken_where_it_is_there(data: Path, tmp_path: Path) -> None:
    assert unseen_records(data) == ("heldout", ["4"])
    (tmp_path / FOLDER).mkdir()
    for path in (data / FOLDER).iterdir():
        if path.name != "4.npz":
            (tmp_path / FOLDER / path.name).write_bytes(path.read_bytes())
    assert unseen_records(tmp_path) == ("test", ["2", "3"])
    (tmp_path / FOLDER / "3.npz").unlink()
    with pytest.raises(DataError, match="neither heldout nor test"):
        unseen_records(tmp_path)


def test_drawn_beats_are_all_found(data: Path) -> None:
    found = beats.evaluate(data)
    assert found.metrics["beat_se"] > 0.97
    assert found.metrics["beat_pp"] > 0.97
    assert found.metrics["beats_evaluated"] == len(RHYTHM) * 6
    assert found.metrics["beat_late_s_99_percent"] < 2.1
    assert found.intervals["beat_se"].groups == 1
    assert found.metrics == beats.evaluate(data).metrics


def test_classes_are_told_with_all_that_was_measured(data: Path) -> None:
    found = classes.evaluate(data)
    metrics = found.metrics
    assert metrics["class_beats_evaluated"] == len(RHYTHM) * 6
    assert metrics["accuracy"] > 0.8
    assert 0 <= metrics["classes_ece"] <= 1
    assert {"v_f1", "accuracy_detected", "v_f1_detected", "beat_decision_ms", "beat_decision_mj"} <= {
        *metrics
    }
    assert metrics["ecg_classes_flash_bytes"] <= 15_000
    assert "s_se" not in metrics  # no S there
    (answers,) = found.answers
    assert len(answers.confidence) == metrics["class_beats_evaluated"]


def test_a_missed_and_an_invented_beat_are_errors() -> None:
    counts = confusion(np.array([0, 0, 2, -1]), np.array([0, -1, 2, 2]))
    found = class_figures(counts)
    assert found["accuracy"] == 0.5
    assert found["n_se"] == 0.5
    assert found["v_pp"] == 0.5
    assert found["v_f1"] == pytest.approx(2 / 3)
    assert np.isnan(found["f_f1"])
    assert LABELS == ("N", "S", "V", "F")


def test_what_is_no_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "9.npz"
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"9\.npz is not a record"):
        read_record(path)
    np.savez(path, ecg=np.zeros(10, np.int16), fs=360, beat_pos=np.zeros(1), beat_class=np.array(["N"]))
    with pytest.raises(DataError, match="180 Hz is needed"):
        read_record(path)
    with pytest.raises(DataError, match=r"splits\.json cannot be read"):
        unseen_records(tmp_path)

"""What a folder keeps is read back as it was; what does not fit is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pintsize.compress.quantize import Quantize
from pintsize.data import Dataset
from pintsize.errors import DataError, ModelError, UserError
from pintsize.explaining import explain, explain_record, record
from pintsize.explaining.record import FILE, Record, read_record, record_file
from pintsize.read.layout import Layout
from tests.explaining.conftest import Digits


@pytest.fixture(scope="module")
def kept(digits: Digits) -> Record:
    student = Quantize(layer_bits={digits.convolutions[2].name: 2}).annotate(digits.graph, digits.calibration)
    return Record.of(student, digits.graph, digits.judged, digits.calibration, "classes", Layout.IMAGE)


@pytest.fixture
def folder(kept: Record, tmp_path: Path) -> Path:
    (tmp_path / FILE).write_bytes(record_file(kept))
    return tmp_path


def test_the_same_explanation_from_the_file(kept: Record, folder: Path) -> None:
    assert explain(folder).as_data() == explain_record(kept).as_data()
    assert record_file(read_record(folder)) == record_file(kept)


def test_other_data(kept: Record, folder: Path, digits: Digits) -> None:
    dark = Dataset(digits.judged.x[:100].transpose(0, 3, 1, 2) * np.float32(0.2), digits.judged.y[:100])
    found = explain(folder, dark)
    assert found.samples == 100
    assert found.causes[0].kind == "calibration differs"
    assert not explain(folder, dark.x).labelled


def test_samples_on_a_scale_that_the_teacher_does_not_know(kept: Record, digits: Digits) -> None:
    raw = Dataset(digits.judged.x.transpose(0, 3, 1, 2) * np.float32(8) + np.float32(8), digits.judged.y)
    found = explain_record(kept.on(raw))
    first = found.causes[0]
    assert (first.kind, first.places) == ("calibration differs", ("the input",))
    assert "multiply the samples by 0.125 and add -1" in first.fix
    assert first.accuracy_after > first.accuracy_before + 0.2
    assert found.steps[-1].accuracy == first.accuracy_after  # the rest is of the samples so scaled
    assert [c.kind for c in found.causes[1:]] == ["narrow weights"]


def test_labels_are_matched_by_name(kept: Record, digits: Digits) -> None:
    named = replace(kept, student=replace(kept.student, labels=tuple("abcdefghij")))
    some = Dataset(digits.judged.x[:3].transpose(0, 3, 1, 2), np.array([0, 1, 1]), ("c", "j"))
    again = named.on(some)
    assert again.y is not None
    assert again.y.tolist() == [2, 9, 9]


@pytest.mark.parametrize(
    ("shape", "labels", "said"),
    [((4, 3, 8, 8), None, "takes"), ((4, 64), None, "takes"), ((4, 1, 8, 8), [0, 1, 2, 10], "run to 10")],
)
def test_data_that_does_not_fit(
    kept: Record, shape: tuple[int, ...], labels: list[int] | None, said: str
) -> None:
    y = None if labels is None else np.array(labels)
    with pytest.raises(DataError, match=said):
        kept.on(Dataset(np.zeros(shape, np.float32), y))


def test_of_a_large_teacher_the_answers_are_kept(
    kept: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "TEACHER_BYTES", 100)
    (tmp_path / FILE).write_bytes(record_file(kept))
    again = read_record(tmp_path)
    assert again.teacher is None
    assert explain_record(again).causes[0].kind == "narrow weights"
    with pytest.raises(DataError, match="too large"):
        again.on(Dataset(np.zeros((1, 1, 8, 8), np.float32)))


def test_few_samples_are_kept_of_large_ones(
    kept: Record, digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "SAMPLE_BYTES", 50 * digits.judged.x[:1].nbytes)
    fewer = Record.of(kept.student, digits.graph, digits.judged, digits.calibration, "classes")
    assert len(fewer.x) == 50


def test_a_folder_without_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no explain\.npz"):
        explain(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04" + bytes(50)])
def test_a_damaged_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        explain(tmp_path)

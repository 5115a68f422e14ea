"""A user's folder is read as it is; what is wrong with it is told before any training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.images.own.checkup import FEWEST, checked
from pintsize.apps.images.own.folder import read_labelled
from pintsize.apps.images.own.training import divided
from pintsize.errors import DataError
from tests.apps.images.drawing import labelled_shapes, saved, shape


def test_labels_are_the_subfolders(tmp_path: Path) -> None:
    found = read_labelled(labelled_shapes(tmp_path, 3))
    assert found.labels == ("bar", "disc")
    assert found.y.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.x.shape == (6, 32, 32, 3)
    assert found.grey
    assert found.names[0] == "bar/000.png"


@pytest.mark.parametrize("made", [(), ("cats", "dogs")])
def test_an_empty_folder_and_empty_labels_are_refused(tmp_path: Path, made: tuple[str, ...]) -> None:
    for name in made:
        (tmp_path / name).mkdir()
    with pytest.raises(DataError, match="no label folders" if not made else "cats has no picture in it"):
        read_labelled(tmp_path)


def test_a_class_with_two_pictures_is_refused_by_its_name(tmp_path: Path) -> None:
    labelled_shapes(tmp_path, FEWEST)
    for i in range(2):
        saved(shape("disc", 50 + i), tmp_path / "rings [ü]" / f"{i}.png")
    with pytest.raises(DataError, match=r"rings \[ü\] \(2\).*needs 8 or more"):
        checked(read_labelled(tmp_path))


def test_one_label_is_no_choice(tmp_path: Path) -> None:
    for i in range(9):
        saved(shape("disc", i), tmp_path / "disc" / f"{i}.png")
    with pytest.raises(DataError, match=r"one label only \(disc\)"):
        checked(read_labelled(tmp_path))


def test_damaged_files_are_told_and_left_out(tmp_path: Path) -> None:
    labelled_shapes(tmp_path, FEWEST)
    (tmp_path / "disc" / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    found = checked(read_labelled(tmp_path))
    assert len(found.pictures.y) == 2 * FEWEST
    assert "1 files are left out: disc/broken.jpg cannot be read" in found.remarks[0]


def test_nothing_but_damaged_files_is_refused(tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "x.png").write_bytes(b"x")
    with pytest.raises(DataError, match="none of the 2 pictures can be read"):
        read_labelled(tmp_path)


def test_copies_are_kept_once_and_contradictions_not_at_all(tmp_path: Path) -> None:
    labelled_shapes(tmp_path, FEWEST + 1)
    saved(shape("disc", 0), tmp_path / "disc" / "copy.png")
    saved(shape("disc", 1), tmp_path / "bar" / "no bar.png")
    found = checked(read_labelled(tmp_path))
    assert "disc/copy.png" not in found.pictures.names
    assert "bar/no bar.png" not in found.pictures.names
    assert "disc/001.png" not in found.pictures.names
    assert any("under several labels" in remark and "no bar.png" in remark for remark in found.remarks)


def test_a_copy_across_parts_stays_where_it_is_reported_on(tmp_path: Path) -> None:
    for part in ("train", "test"):
        labelled_shapes(tmp_path / part, FEWEST if part == "train" else 2)
    found = checked(read_labelled(tmp_path))
    assert any("lie in several parts" in remark for remark in found.remarks)
    parts = dict(zip(found.pictures.names, found.pictures.parts, strict=True))
    assert parts.get("test/disc/000.png") == "test"
    assert "train/disc/000.png" not in parts


def test_every_part_has_every_label_and_no_picture_twice(tmp_path: Path) -> None:
    given = read_labelled(labelled_shapes(tmp_path, 10))
    parts = divided(given, 0)
    assert sorted(name for part in parts for name in part.names) == sorted(given.names)
    assert all(set(part.y.tolist()) == {0, 1} for part in parts)


def test_a_part_that_the_folder_has_is_kept(tmp_path: Path) -> None:
    for part, each in (("train", 12), ("test", 3)):
        for number, kind in enumerate(("disc", "bar")):
            for i in range(each):
                saved(
                    shape(kind, 100 * number + i + (0 if part == "train" else 500)),
                    tmp_path / part / kind / f"{i}.png",
                )
    _, choosing, reporting = divided(read_labelled(tmp_path), 0)
    assert {name.split("/")[0] for name in reporting.names} == {"test"}
    assert {name.split("/")[0] for name in choosing.names} == {"train"}
    assert len(reporting.y) == 6


def test_many_more_of_one_label_are_told(tmp_path: Path) -> None:
    labelled_shapes(tmp_path, FEWEST)
    for i in range(11 * FEWEST):
        saved(shape("disc", 300 + i), tmp_path / "disc" / f"more {i}.png")
    remarks = checked(read_labelled(tmp_path)).remarks
    assert any("disc has" in remark and "bar 8" in remark for remark in remarks)


def test_the_seed_draws_the_parts(tmp_path: Path) -> None:
    given = read_labelled(labelled_shapes(tmp_path, 10))
    first, again, other = (divided(given, seed)[2].names for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert np.unique(given.y).tolist() == [0, 1]

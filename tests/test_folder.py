"""Results are put in place whole or not at all, and a folder of somebody else's is never touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from pintsize.errors import OutputError
from pintsize.folder import MARKER, check_writable, write_file, write_folder

OLD = {MARKER: b"{}", "model.c": b"old", "gone.txt": b"not written any more"}
NEW = {MARKER: b"{}", "model.c": b"new"}


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_a_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    write_folder(NEW, tmp_path / "a" / "b")
    assert contents(tmp_path / "a" / "b") == NEW
    assert contents(tmp_path / "a" / "b").keys() == NEW.keys()


def test_a_folder_of_ours_is_replaced_whole(tmp_path: Path) -> None:
    write_folder(OLD, tmp_path / "out")
    write_folder(NEW, tmp_path / "out")
    assert contents(tmp_path / "out") == NEW
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_folder(NEW, tmp_path / "out")
    assert contents(tmp_path / "out") == NEW


def test_somebody_elses_folder_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_bytes(b"precious")
    with pytest.raises(OutputError, match="not written by pintsize"):
        write_folder(NEW, tmp_path)
    assert contents(tmp_path) == {"thesis.txt": b"precious"}


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_in_the_way_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "out").write_bytes(b"a file")
    with pytest.raises(OutputError, match="out"):
        check_writable(tmp_path / "out" / below)
    assert (tmp_path / "out").read_bytes() == b"a file"


def test_a_failure_half_way_leaves_the_old_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_folder(OLD, out)
    with pytest.raises(OutputError, match="cannot be written"):
        write_folder({**NEW, "file": b"", "file/below": b""}, out)
    assert contents(out) == OLD
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_what_a_dead_run_left_behind_does_not_matter(tmp_path: Path) -> None:
    for name in ("out.new", "out.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half").write_bytes(b"")
    write_folder(OLD, tmp_path / "out")
    write_folder(NEW, tmp_path / "out")
    assert contents(tmp_path / "out") == NEW


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_file(path, b"old")
    write_file(path, b"new")
    assert contents(tmp_path) == {"report.html": b"new"}


def test_a_file_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"report\.html cannot be written"):
        write_file(tmp_path / "nowhere" / "report.html", b"")

"""A folder of one's own clips: what is trained from it, and what is refused before anything is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pintsize.apps.assistant import training
from pintsize.apps.assistant.remaining import Remaining
from pintsize.apps.assistant.training import folders_of, train_own
from pintsize.errors import DataError, OutputError


def test_wake_words_and_orders_have_folders_of_their_own(tmp_path: Path) -> None:
    for name in ("wake/hello", "orders/tea"):
        (tmp_path / name).mkdir(parents=True)
    assert folders_of(tmp_path) == {"wake": tmp_path / "wake", "orders": tmp_path / "orders"}


def test_without_them_every_folder_is_a_wake_word(tmp_path: Path) -> None:
    (tmp_path / "hello").mkdir()
    assert folders_of(tmp_path) == {"wake": tmp_path}


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        ([], "has no subfolders"),
        (["wake"], "has no subfolders"),
        (["Hello", "hello "], "differ only in case or spaces"),
        (["hel\x07lo"], "printable"),
        ([" "], "printable"),
    ],
)
def test_what_cannot_be_a_label_is_refused(folders: list[str], said: str, tmp_path: Path) -> None:
    for name in folders:
        (tmp_path / name).mkdir()
    with pytest.raises(DataError, match=said):
        train_own(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no folder"):
        train_own(tmp_path / "none", tmp_path / "out")


@dataclass
class Quick:
    """In place of a piece's training: writes a file at once, or is stopped in the middle."""

    stopped: bool = False
    refused: bool = False

    def require_usable(self, folder: Path) -> None:
        if self.refused:
            raise DataError("too few clips")

    def train_own(
        self, folder: Path, out: Path, *, seed: int, watch: Callable[[str], object]
    ) -> dict[str, Any]:
        out.mkdir()
        (out / "manifest.json").write_text(f"{folder.name} {seed}")
        if self.stopped:
            raise KeyboardInterrupt
        watch("epoch 1 of 1")
        return {
            "validation_false_reject": 0.05, "validation_false_accepts_per_hour": 0.4,
            "accuracy_on_varied_copies_held_back": 0.97,
        }  # fmt: skip


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    for name in ("wake/hello", "orders/tea"):
        (tmp_path / "clips" / name).mkdir(parents=True)
    return tmp_path / "clips"


def trained_by(monkeypatch: pytest.MonkeyPatch, wake: Quick, orders: Quick) -> None:
    monkeypatch.setattr(training, "_training_of", {"wake": wake, "orders": orders}.__getitem__)


def test_both_are_written_and_it_is_said_how_long_it_takes_and_how_good_they_are(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_by(monkeypatch, Quick(), Quick())
    said: list[str] = []
    train_own(clips, tmp_path / "out", seed=3, said=said.append)
    assert (tmp_path / "out" / "wake" / "manifest.json").read_text() == "wake 3"
    assert (tmp_path / "out" / "orders" / "manifest.json").read_text() == "orders 3"
    assert "minutes" in said[0]
    assert "wake: epoch 1 of 1" in said
    assert said[-2].startswith("wake: of the clips held back 95% wake it, and 0.4 times an hour")
    assert said[-1] == "orders: of varied copies of the clips held back 97% are understood rightly"


def test_one_that_is_stopped_leaves_what_was_there(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_by(monkeypatch, Quick(), Quick(stopped=True))
    with pytest.raises(KeyboardInterrupt):
        train_own(clips, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    trained_by(monkeypatch, Quick(), Quick())
    train_own(clips, tmp_path / "out", seed=1)
    trained_by(monkeypatch, Quick(), Quick(stopped=True))
    with pytest.raises(KeyboardInterrupt):
        train_own(clips, tmp_path / "out", seed=2)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["orders", "wake"]
    assert (tmp_path / "out" / "wake" / "manifest.json").read_text() == "wake 1"


def test_clips_of_orders_are_refused_before_wake_words_are_trained(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_by(monkeypatch, Quick(stopped=True), Quick(refused=True))
    with pytest.raises(DataError, match="too few clips"):
        train_own(clips, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_not_ours_is_not_replaced(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_by(monkeypatch, Quick(stopped=True), Quick())
    (tmp_path / "out" / "orders").mkdir(parents=True)
    (tmp_path / "out" / "orders" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="not written by pintsize"):
        train_own(clips, tmp_path / "out")
    assert (tmp_path / "out" / "orders" / "thesis.txt").read_text() == "mine"


def test_what_remains_is_told_from_what_is_done() -> None:
    times = iter([0.0, 10.0, 60.0])
    remaining = Remaining(lambda: next(times))
    assert remaining.after(1, 5) == ", about 40 s left"
    assert remaining.after(2, 10) == ", about 4 min left"
    assert remaining.after(10, 10) == ""

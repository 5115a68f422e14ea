"""A folder of one's own clips: what is trained from it, and what is refused before anything is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pintsize.apps.assistant.training import folders_of, train_own
from pintsize.errors import DataError


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

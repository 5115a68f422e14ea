"""What the tests of the ECG share: pieces whose weights are set by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from pintsize.apps.ecg.pieces import Pieces
from tests.apps.ecg.hearts import beat_folder, class_folder, drawn_pieces


@pytest.fixture(scope="session")
def heart_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """piece → its artifact on disk."""
    home = tmp_path_factory.mktemp("hearts")
    return {"beats": beat_folder(home / "beats"), "classes": class_folder(home / "classes")}


@pytest.fixture
def hearts(heart_folders: dict[str, Path]) -> Pieces:
    return drawn_pieces(heart_folders["beats"], heart_folders["classes"])

"""What the tests of applications share: an assistant whose words are tones."""

from __future__ import annotations

from pathlib import Path

import pytest

from pintsize.apps.assistant.pieces import Pieces
from pintsize.stream.artifact import load
from tests.apps.assistant.tones import tone_pieces, wake_artifact


@pytest.fixture(scope="session")
def tone_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wake words that are tones, as an artifact on disk."""
    folder = tmp_path_factory.mktemp("tones") / "wake"
    wake_artifact(folder)
    return folder


@pytest.fixture
def tones(tone_folder: Path) -> Pieces:
    return tone_pieces(load(tone_folder, prove=False))

"""From a folder of pictures to a model that answers, in one go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.application import RunOptions
from pintsize.apps.images.application import Images
from pintsize.apps.images.own import OwnPictures
from pintsize.apps.images.own.training import Effort, train_own
from pintsize.apps.images.pictures import read_picture
from pintsize.apps.images.pieces import load_piece
from pintsize.compress.recipe import EFFORTS
from pintsize.compress.recipe import Effort as Search
from pintsize.errors import OutputError
from tests.apps.images.drawing import labelled_shapes, picture, saved, shape

#: models and programs are compiled
pytestmark = pytest.mark.long

QUICK = Effort(steps=100, batch=32, copies=300, width=4)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    home = tmp_path_factory.mktemp("own")
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(EFFORTS, "low", Search(60, 20, (0.5,), (0.5,)))
        train_own(labelled_shapes(home / "pictures", 40), home / "model", watch=said.append, effort=QUICK)
    return home / "model", said


def test_it_knows_pictures_that_it_has_not_seen(trained: tuple[Path, list[str]]) -> None:
    model = OwnPictures.load(trained[0])
    told = [model.ask(picture(shape(kind, 9000 + i))).value for kind in ("disc", "bar") for i in range(20)]
    right = [value == ("disc" if i < 20 else "bar") for i, value in enumerate(told) if value is not None]
    assert len(right) >= 20
    assert np.mean(right) >= 0.9


def test_what_is_unlike_its_pictures_is_refused(trained: tuple[Path, list[str]]) -> None:
    model = OwnPictures.load(trained[0])
    coloured = shape("disc", 1)
    coloured[..., 0] = 255 - coloured[..., 0]
    for odd in (coloured, shape("disc", 2) // 12):
        answer = model.ask(picture(odd))
        assert (answer.kind, answer.value) == ("ungradable", None)
        assert "unlike the pictures that were learnt from" in str(answer.reason)


def test_progress_and_what_it_was_made_of_are_told(trained: tuple[Path, list[str]]) -> None:
    folder, said = trained
    assert any("bar: 40, disc: 40" in line for line in said)
    assert any(line.startswith("step 100 of 100") for line in said)
    card = (folder / "CARD.md").read_text()
    assert "| bar | 40 |" in card
    assert "seed 0" in card


def test_the_application_finds_out_what_the_folder_is(
    trained: tuple[Path, list[str]], tmp_path: Path
) -> None:
    path = saved(shape("bar", 77), tmp_path / "a bar.png")
    looked = Images().look(path, [], RunOptions(weights=trained[0]))
    assert looked.answers == (("a bar.png", load_piece("xray", trained[0]).ask(read_picture(path))),)


def test_it_becomes_c_that_decides_the_same(trained: tuple[Path, list[str]], tmp_path: Path) -> None:
    figures = Images().build("nrf52840", tmp_path / "c", trained[0])
    assert figures["flash_bytes"] > figures["network_flash_bytes"]
    assert (tmp_path / "c" / "picture.h").is_file()


def test_a_folder_of_something_else_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("mine")
    with pytest.raises(OutputError):
        train_own(labelled_shapes(tmp_path / "pictures", 8), tmp_path / "out", watch=str, effort=QUICK)

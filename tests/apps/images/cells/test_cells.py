"""The cell detector counts, marks what it counted, and refuses what it cannot see."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pintsize.apps.images.application import Images
from pintsize.apps.images.cells import Cells
from pintsize.apps.images.cells.cells import Found
from pintsize.apps.images.cells.evaluation import count_error, evaluate, mean_error
from pintsize.apps.images.cells.marked import ENLARGED, MARKS, marked_png
from pintsize.apps.images.cells.material import FOLDER, HEIGHT, WIDTH, smears, unseen_part
from pintsize.apps.images.cells.peaks import CLASSES, STRIDE, Peak
from pintsize.apps.images.pictures import Picture
from pintsize.apps.images.spoiling import POOR
from pintsize.errors import DataError
from tests.apps.images.drawing import smooth

DATA = Path(os.environ.get("PINTSIZE_DATA", Path(__file__).parents[5] / "shared" / "data"))


@pytest.fixture(scope="module")
def model() -> Cells:
    return Cells.load()


def test_an_error_is_the_cells_missed_or_made_up_by_the_cells_there() -> None:
    found, marked = np.array([10, 7, 0]), np.array([12, 5, 3])
    assert count_error(found, marked) == 7 / 20
    assert np.isnan(count_error(found, np.zeros(3, np.int64)))
    assert mean_error(np.stack([found, marked], 1), np.stack([marked, marked], 1)) == 7 / 40


def test_marks_lie_where_the_cells_are() -> None:
    pixels = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    found = Found({"red": 1, "white": 0, "platelets": 0}, ([Peak(30, 40, 9)], [], []), pixels)
    drawn = np.asarray(Image.open(io.BytesIO(marked_png(found))))
    assert drawn.shape[0] > HEIGHT * ENLARGED
    x, y = ((at + 0.5) * STRIDE * ENLARGED for at in (40, 30))
    reach = MARKS["red"][1] * ENLARGED
    around = drawn[int(y - reach) - 1 : int(y - reach) + 3, int(x)]
    assert (around.astype(int)[:, 0] - around.astype(int)[:, 1]).max() > 100


def test_pictures_of_any_shape_are_seen_in_the_models_shape(model: Cells) -> None:
    for height, width in ((480, 640), (640, 480), (500, 500)):
        pixels = np.zeros((height, width, 3), np.uint8)
        assert model.seen(Picture("", pixels, False)).shape == (HEIGHT, WIDTH, 3)


def test_what_is_no_smear_is_refused(model: Cells) -> None:
    for pixels in (smooth(240), np.zeros((240, 320, 3), np.uint8)):
        answer = model.ask(Picture("", pixels, False))
        assert (answer.kind, answer.value) == ("ungradable", None)
        assert str(answer.reason).startswith("repeat, because ")


def test_the_shipped_model_is_small(model: Cells) -> None:
    figures = model.artifact.manifest.content["figures"]
    assert figures["program_flash_bytes"] <= 100_000
    assert figures["flash_device"] == "stm32h7a3"


def test_a_real_smear_is_counted_and_marked(model: Cells, tmp_path: Path) -> None:
    try:
        unseen = smears(DATA, unseen_part(DATA))
    except DataError:
        pytest.skip(f"{FOLDER} is not in {DATA}")
    smear = unseen[0]
    path = tmp_path / "smear.png"
    Image.fromarray(smear.pixels.copy()).save(path)
    looked = Images("cells").look(path, [], marked=tmp_path / "marked")
    assert looked.answers[0][1].kind == "counted"
    assert sorted(looked.answers[0][1].details) == sorted(CLASSES)
    assert (tmp_path / "marked" / "smear.png").is_file()
    spoilt = [spoil(Picture("", s.pixels, False)) for s in unseen[:5] for spoil in POOR.values()]
    assert [model.ask(p).value for p in spoilt] == [None] * len(spoilt)


@pytest.mark.long
def test_on_unseen_smears_it_holds_what_its_card_says() -> None:
    try:
        found = evaluate(DATA).metrics
    except DataError:
        pytest.skip(f"{FOLDER} is not in {DATA}")
    assert found["cells_count_error_white"] <= 0.10
    assert found["cells_count_error_platelets"] <= 0.40
    assert found["cells_count_error_red"] <= 0.35

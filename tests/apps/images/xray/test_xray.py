"""The X-ray model answers, or says why it cannot; what ships is what was measured."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.images.answer import SCREENING
from pintsize.apps.images.pictures import Picture
from pintsize.apps.images.spoiling import POOR
from pintsize.apps.images.xray import XRay
from pintsize.apps.images.xray.evaluation import evaluate, picture_of
from pintsize.apps.images.xray.material import FOLDER, LABELS, drawn_others, small, turned, unseen_xrays
from pintsize.apps.images.xray.xray import ONE, suspicion
from pintsize.errors import DataError
from tests.apps.images.drawing import smooth

DATA = Path(os.environ.get("PINTSIZE_DATA", Path(__file__).parents[5] / "shared" / "data"))


@pytest.fixture(scope="module")
def model() -> XRay:
    return XRay.load()


def chances(normal: float, pneumonia: float, turned: float = 0.0, other: float = 0.0) -> np.ndarray:
    return np.array([int(share * ONE) for share in (normal, pneumonia, turned, other)])


def test_a_clear_picture_is_told_with_its_confidence(model: XRay) -> None:
    found = model.judged(chances(0.01, 0.99))
    assert (found.kind, found.value, found.reason) == ("label", "pneumonia", SCREENING)
    assert found.confidence == pytest.approx(0.99, abs=1e-3)
    assert model.judged(chances(0.99, 0.01)).value == "normal"


def test_an_unclear_picture_is_left_to_a_physician(model: XRay) -> None:
    found = model.judged(chances(0.5, 0.5))
    assert (found.kind, found.value) == ("unsure", None)
    assert "physician" in str(found.reason)


def test_a_turned_or_foreign_picture_is_to_be_repeated(model: XRay) -> None:
    assert "turned" in str(model.judged(chances(0.02, 0.0, 0.95, 0.03)).reason)
    found = model.judged(chances(0.01, 0.01, 0.0, 0.98))
    assert (found.kind, found.value) == ("ungradable", None)
    assert str(found.reason).startswith("repeat, because it does not look like a chest X-ray")


def test_suspicion_leaves_out_what_is_no_answer() -> None:
    assert suspicion(chances(0.25, 0.25, 0.5)) == ONE // 2
    assert suspicion(chances(0.0, 0.0, 1.0)) == ONE // 2


def test_colours_and_darkness_are_refused_before_the_network(model: XRay) -> None:
    coloured = smooth(64)
    coloured[..., 2] //= 3
    assert "colours" in str(model.ask(Picture("", coloured, False)).reason)
    assert "too dark" in str(model.ask(Picture("", np.zeros((64, 64, 3), np.uint8), True)).reason)


def test_turned_pictures_are_never_upright() -> None:
    x = np.arange(28 * 28, dtype=np.int64).reshape(1, 28, 28).astype(np.uint8)
    for seed in range(20):
        assert not (turned(x, np.random.default_rng(seed)) == x).all()


def test_drawn_pictures_are_of_the_models_size() -> None:
    x = small(smooth(90)[..., 0])[None]
    assert drawn_others(x, 11, np.random.default_rng(0)).shape == (11, 28, 28)


def test_the_shipped_model_is_small_and_says_what_it_is(model: XRay) -> None:
    figures = model.artifact.manifest.content["figures"]
    assert model.artifact.labels == LABELS
    assert figures["program_flash_bytes"] <= 40_000
    card = (Path(__file__).parents[4] / "src/pintsize/apps/images/weights/xray/CARD.md").read_text()
    assert "A screening aid, not a diagnosis" in card


def test_on_unseen_xrays_it_holds_what_its_card_says(model: XRay) -> None:
    try:
        part = unseen_xrays(DATA)
    except DataError:
        pytest.skip(f"{FOLDER} is not in {DATA}")
    found = evaluate(DATA)
    assert found.metrics["pneumonia_auc"] >= 0.93
    spoilt = [spoil(picture_of(x)) for x in part.x[:20] for spoil in POOR.values()]
    assert [model.ask(p).value for p in spoilt] == [None] * len(spoilt)


def test_without_the_data_an_evaluation_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="pneumoniamnist"):
        evaluate(tmp_path)

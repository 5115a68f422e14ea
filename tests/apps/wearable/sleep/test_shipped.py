"""The shipped weights: they load, answer without torch, abstain, and hold their figures where the data is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.wearable.sleep import load_sleep
from pintsize.apps.wearable.sleep.evaluation import evaluate
from pintsize.apps.wearable.sleep.features import COLUMNS
from pintsize.apps.wearable.sleep.nights import FOLDER
from pintsize.apps.wearable.sleep.sleep import FEWEST_EPOCHS, WEIGHTS, SleepModel
from pintsize.errors import DataError, UserError

DATA = Path(os.environ.get("PINTSIZE_DATA", Path(__file__).parents[5] / "shared" / "data"))


@pytest.fixture(scope="module")
def model() -> SleepModel:
    return load_sleep()


def quiet(epochs: int = 120, seed: int = 0) -> np.ndarray:
    """(epochs, 35) of somebody who lies still in the middle of the night."""
    features = np.random.default_rng(seed).uniform(0.0, 0.3, (epochs, COLUMNS))
    features[:, 32], features[:, 33], features[:, 34] = 0.6, 0.5, np.linspace(0.3, 0.4, epochs)
    return features


def test_moving_for_long_is_wake_and_lying_still_is_sleep(model: SleepModel) -> None:
    features = quiet()
    features[50:70, :21] += 20.0
    told = model.stages(features)
    assert told[20] not in ("wake", None)
    assert told[58:62] == ["wake"] * 4
    assert set(told) <= set(model.labels)


def test_an_epoch_without_features_gets_no_stage(model: SleepModel) -> None:
    features = quiet()
    features[30, 4] = np.nan
    found = model.score(features)
    assert found.stages[30] is None
    assert found.reasons[30] == "features are missing"
    assert np.isnan(found.wake[30])
    assert found.stages[31] is not None


def test_what_is_no_night_gets_none_with_the_reason(model: SleepModel) -> None:
    short = model.score(quiet(FEWEST_EPOCHS - 1))
    assert set(short.stages) == {None}
    assert "are needed" in short.reasons[0]
    assert set(model.score(np.full((40, COLUMNS), np.nan)).reasons) == {"no epoch has valid features"}
    assert model.stages(np.zeros((0, COLUMNS))) == []


def test_other_columns_are_refused(model: SleepModel) -> None:
    with pytest.raises(DataError, match="35"):
        model.stages(np.zeros((50, 3)))


def test_it_says_the_same_twice(model: SleepModel) -> None:
    features = quiet(seed=5)
    assert model.stages(features) == model.stages(features)


def test_it_is_within_its_flash_and_the_card_says_what_it_is(model: SleepModel) -> None:
    assert model.artifact.manifest.content["figures"]["flash_bytes"] <= 15_000
    card = (WEIGHTS / "CARD.md").read_text()
    for said in ("A screening aid, not a diagnosis", "ODC-By", "sleep_kappa", "--seed 0", "validation"):
        assert said in card


def test_another_artifact_is_refused() -> None:
    with pytest.raises(UserError, match="no model of sleep"):
        load_sleep(WEIGHTS.parent / "heart_rate_ppg")


def test_without_the_data_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no nights"):
        evaluate(tmp_path)


def test_answering_needs_no_torch() -> None:
    code = (
        "import sys, numpy as np\n"
        "from pintsize.apps.wearable.sleep import load_sleep\n"
        "import pintsize.apps.wearable.sleep.evaluation\n"
        "load_sleep().stages(np.zeros((30, 35)))\n"
        "assert 'torch' not in sys.modules and 'sklearn' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(not (DATA / FOLDER).is_dir(), reason="the nights are not there")
def test_other_people_are_told_as_the_card_says() -> None:
    found = evaluate(DATA)
    assert found.metrics["sleep_kappa"] > 0.4
    assert 0.4 < found.metrics["sleep_wake_specificity"] < 1.0
    assert found.intervals["sleep_kappa"].groups == found.metrics["sleep_people"]

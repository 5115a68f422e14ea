"""The shipped weights: they load, answer without torch, and hold their figures where the data is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.wearable.activity import load_activity
from pintsize.apps.wearable.activity.activity import WEIGHTS, ActivityModel
from pintsize.apps.wearable.activity.evaluation import evaluate, smoothed, stream_of
from pintsize.apps.wearable.activity.recordings import FOLDER, Recording
from pintsize.errors import DataError, UserError

DATA = Path(os.environ.get("PINTSIZE_DATA", Path(__file__).parents[5] / "shared" / "data"))


@pytest.fixture(scope="module")
def model() -> ActivityModel:
    return load_activity()


def swinging(seconds: float, seed: int = 0) -> np.ndarray:
    """(n, 6) int16 of somebody who moves."""
    random = np.random.default_rng(seed)
    t = np.arange(round(50 * seconds))[:, None] / 50
    swing = np.sin(2 * np.pi * random.uniform(0.5, 2.5, 6) * t + random.uniform(0, 6, 6))
    return np.rint(swing * random.uniform(500, 4000, 6) + [0, 4900, 0, 0, 0, 0]).astype(np.int16)


def test_raw_samples_give_a_label_from_two_seconds_on(model: ActivityModel) -> None:
    assert model.labels == ("seated", "sitting down", "standing up", "turning", "walking")
    model.reset()
    hop, samples = model.hop_samples, swinging(4)
    told = [model.ask(end / 50, samples[end - hop : end]) for end in range(hop, len(samples) + 1, hop)]
    warm = model.rule.warm
    assert all(t.label is None and "since the signal began" in t.reason for t in told[: warm - 1])
    assert any(t.label in model.labels for t in told[warm - 1 :])
    assert all(t.label is not None or t.reason for t in told)
    assert told[-1].about_s == pytest.approx(4 - model.delay_s)


def test_nothing_is_told_of_what_is_no_signal_and_nothing_stale_after_it(model: ActivityModel) -> None:
    model.reset()
    for step in range(30):
        model.ask(step / 10, swinging(0.1))
    for value in (None, [float("nan")] * 5):
        assert model.update(3.1, value).reason == "no valid samples"
    assert "since the signal began" in model.ask(3.2, swinging(0.1)).reason


def test_a_reset_makes_a_replay_the_same(model: ActivityModel) -> None:
    first = stream_of(model, Recording("a", "watch", swinging(5), np.zeros(250, np.int64)))
    again = stream_of(model, Recording("a", "watch", swinging(5), np.zeros(250, np.int64)))
    np.testing.assert_array_equal(first, again)


def test_evaluation_smooths_as_the_model_does(model: ActivityModel) -> None:
    samples = swinging(6, 3)
    codes = stream_of(model, Recording("a", "watch", samples, np.zeros(300, np.int64)))
    means = smoothed(codes, model.rule.decisions)
    hop = model.hop_samples
    model.reset()
    for at, end in enumerate(range(hop, len(samples) + 1, hop)):
        told = model.ask(end / 50, samples[end - hop : end])
        if told.label is not None:
            assert told.label == model.labels[int(means[at].argmax())]


def test_it_is_within_its_flash_and_the_card_says_what_it_is(model: ActivityModel) -> None:
    assert model.artifact.manifest.content["figures"]["flash_bytes"] <= 23_000
    card = (WEIGHTS / "CARD.md").read_text()
    for said in ("A screening aid, not a diagnosis", "CC BY 4.0", "activity_macro_f1", "--seed 0", "heldout"):
        assert said in card


def test_another_artifact_is_refused() -> None:
    with pytest.raises(UserError, match="no model of activities"):
        load_activity(WEIGHTS.parent / "heart_rate_ppg")


def test_without_the_data_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"subjects\.csv"):
        evaluate(tmp_path)


def test_answering_needs_no_torch() -> None:
    code = (
        "import sys, numpy as np\n"
        "from pintsize.apps.wearable.activity import load_activity\n"
        "import pintsize.apps.wearable.activity.evaluation\n"
        "model = load_activity()\n"
        "model.ask(0.1, np.zeros((model.hop_samples, 6), np.int16))\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(not (DATA / FOLDER).is_dir(), reason="the recordings are not there")
def test_other_people_are_told_as_the_card_says() -> None:
    found = evaluate(DATA)
    assert found.metrics["activity_macro_f1"] > 0.85
    assert found.metrics["activity_accuracy"] > 0.9
    assert found.intervals["activity_macro_f1"].groups == found.metrics["activity_people"]

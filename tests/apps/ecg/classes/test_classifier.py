"""The classes as they ship: small, proven, without torch; a class or the reason why not."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from pintsize.apps.ecg.beats.finder import Beat
from pintsize.apps.ecg.beats.records import FOLDER, read_record
from pintsize.apps.ecg.classes import BeatClassifier, load_classes
from pintsize.apps.ecg.classes.classifier import MULTIPLIER_BITS, NOT_READY, WEIGHTS, codes_of, multiplier_of
from pintsize.apps.ecg.classes.context import RHYTHM
from pintsize.apps.ecg.classes.evaluation import told_at
from pintsize.errors import UserError
from tests.signals import DATA


@pytest.fixture(scope="module")
def classifier() -> BeatClassifier:
    return load_classes()


def beat(height: int, classifier: BeatClassifier) -> np.ndarray:
    """A narrow wave at the R peak, raw samples."""
    made = np.zeros(classifier.window_samples, np.int16)
    made[classifier.window_before - 4 : classifier.window_before + 5] = height * np.hanning(9)
    return made


def test_it_loads_is_small_and_fast(classifier: BeatClassifier) -> None:
    figures = classifier.artifact.manifest.content["figures"]
    assert figures["flash_bytes"] <= 15_000
    assert figures["flash_device"] == figures["energy_device"] == "nrf52840"
    assert figures["latency_ms"] < 20
    assert figures["energy_mj"] < 0.2
    assert classifier.labels == ("N", "S", "V", "F")
    assert classifier.window_after / classifier.rate_hz <= 0.5
    assert "A screening aid, not a diagnosis" in (WEIGHTS / "CARD.md").read_text()


def test_another_artifact_is_no_classifier() -> None:
    with pytest.raises(UserError, match="no classifier of beats"):
        load_classes(WEIGHTS.parent / "beats")


def test_codes_are_the_contexts_where_the_grid_is_theirs() -> None:
    row, rhythm = np.array([-127, 0, 90, 127]), np.arange(RHYTHM)
    codes = codes_of(row, np.array([-127, 90, 0, -127]), rhythm, multiplier_of(1.0), 0)
    assert codes.shape == (4 + RHYTHM, 2)
    assert codes[:4, 0].tolist() == row.tolist()
    assert codes[:4, 1].tolist() == [0, -90, 90, 127]
    assert codes[4:].tolist() == [[value, 0] for value in range(RHYTHM)]


def test_codes_move_to_another_grid() -> None:
    row = np.array([-100, -3, 3, 100])
    codes = codes_of(row, row, np.zeros(RHYTHM, np.int64), multiplier_of(2.0), -5)
    assert codes[:4, 0].tolist() == [-55, -6, -3, 45]  # halves round up
    assert multiplier_of(2.0) == 1 << (MULTIPLIER_BITS - 1)


def test_nothing_is_said_before_the_patient_is_known(classifier: BeatClassifier) -> None:
    context, said = classifier.context(), []
    for place in range(0, 180 * 20, 180):
        context.update(Beat(place / 180, place, 16))
        said.append(classifier.classify(beat(200, classifier), context))
    assert [each.reason for each in said[:8]] == [NOT_READY] * 8
    assert {each.label for each in said[9:]} <= {"N", None}
    assert all(0 <= each.confidence <= 1 for each in said)
    assert all(each.reason for each in said if each.label is None)


def test_it_knows_the_beats_of_a_real_record(classifier: BeatClassifier) -> None:
    path = DATA / FOLDER / "228.npz"
    if not path.is_file():
        pytest.skip(f"{path} is missing")
    told = told_at(classifier, read_record(path))
    assert (told.kinds == told.told).mean() > 0.95


def test_the_same_beats_are_told_the_same_again(classifier: BeatClassifier) -> None:
    def all_said() -> list[float]:
        context = classifier.context()
        random = np.random.default_rng(1)
        confidences = []
        for place in range(0, 180 * 12, 160):
            context.update(Beat(place / 180, place, 16))
            window = beat(int(random.integers(50, 400)), classifier)
            confidences.append(classifier.classify(window, context).confidence)
        return confidences

    assert all_said() == all_said()


def test_running_it_leaves_torch_out() -> None:
    program = (
        "import sys, numpy as np; from pintsize.apps.ecg.classes import load_classes; c = load_classes(); "
        "c.classify(np.zeros(c.window_samples, np.int16), c.context()); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"

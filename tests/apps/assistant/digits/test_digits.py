from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.assistant.digits import Digits
from pintsize.apps.assistant.digits.digits import LABELS
from pintsize.apps.assistant.digits.evaluation import FOLDER, evaluate
from pintsize.apps.assistant.phrases.classifier import OTHER
from pintsize.apps.sounds import as_codes, read_clip
from pintsize.errors import UserError

DATA = Path(__file__).parents[5] / "shared" / "data"


@pytest.fixture(scope="module")
def digits() -> Digits:
    return Digits.load()  # runs the golden vectors too


def test_shipped_weights_know_ten_digits_and_other(digits: Digits) -> None:
    assert digits.artifact.labels == (*LABELS, OTHER)
    assert digits.artifact.input.elements == 16_000
    assert digits.artifact.manifest.content["figures"]["flash_bytes"] <= 32_000


def test_silence_and_noise_are_no_digit(digits: Digits) -> None:
    noise = np.random.default_rng(0).normal(0, 1000, 16_000).astype(np.int16)
    for samples in (np.zeros(16_000, np.int16), np.zeros(5, np.int16), noise):
        heard = digits.recognise(samples)
        assert heard.label is None
        assert heard.reason


def test_the_same_samples_give_the_same_answer(digits: Digits) -> None:
    clip = (3000 * np.sin(np.arange(9000) ** 1.2 / 40)).astype(np.int16)
    before = digits.classifier.probabilities(clip)
    digits.recognise(clip[:4000])
    assert np.array_equal(before, digits.classifier.probabilities(clip))


def test_another_models_folder_is_refused() -> None:
    with pytest.raises(UserError, match="no classifier of phrases"):
        Digits.load(Path(sys.modules[Digits.__module__].__file__ or "").parents[1] / "weights" / "orders")


def test_a_recorded_digit_of_the_unheard_speaker_is_recognised(digits: Digits) -> None:
    if not (DATA / FOLDER).is_dir():
        pytest.skip(f"{FOLDER} is not there")
    right = [
        digits.recognise(as_codes(read_clip(DATA / FOLDER / f"{digit}_theo_{take}.flac"))).label in (str(digit), None)
        for digit in range(10) for take in range(3)
    ]  # fmt: skip
    assert sum(right) >= 24


@pytest.mark.long
def test_the_figure_of_the_card_is_reached_again() -> None:
    if not (DATA / FOLDER).is_dir():
        pytest.skip(f"{FOLDER} is not there")
    found = evaluate(DATA)
    card = (
        Path(sys.modules[Digits.__module__].__file__ or "").parents[1] / "weights/digits/CARD.md"
    ).read_text()
    assert f"| digits_accuracy_unseen_speaker | {found['digits_accuracy_unseen_speaker']:.4g} |" in card


def test_running_them_needs_no_torch() -> None:
    code = (
        "import sys, numpy as np; from pintsize.apps.assistant.digits import Digits;"
        "from pintsize.apps.assistant.orders import Orders; import pintsize.apps.assistant.orders.evaluation;"
        "Digits.load().recognise(np.ones(9000, np.int16)); assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

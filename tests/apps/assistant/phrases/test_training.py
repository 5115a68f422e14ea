from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.assistant.orders import Orders
from pintsize.apps.assistant.orders.training import train_own
from pintsize.apps.assistant.phrases.learning import Schedule
from pintsize.apps.assistant.phrases.training import Effort, least_told, train_phrases
from pintsize.errors import DataError

SMALL = Effort(copies=600, width=16, schedule=Schedule(steps=60, batch=32))
TONES_HZ = {"lights on": (400.0, 400.0), "lights off": (400.0, 1800.0)}


def said(label: str, seed: int) -> np.ndarray:
    """Two tones one after the other, with a little noise: int16 (n,)."""
    random = np.random.default_rng(seed)
    times_s = np.arange(4800) / 16_000
    parts = [np.sin(2 * np.pi * hz * random.uniform(0.95, 1.05) * times_s) for hz in TONES_HZ[label]]
    return np.rint(5000 * np.concatenate(parts) + random.normal(0, 30, 9600)).astype(np.int16)


def write(folder: Path, clips: int) -> Path:
    for label in TONES_HZ:
        (folder / label).mkdir(parents=True)
        for number in range(clips):
            with wave.open(str(folder / label / f"{number}.wav"), "wb") as file:
                file.setparams((1, 2, 16_000, 0, "NONE", ""))
                file.writeframes(said(label, number).tobytes())
    return folder


def test_a_phrase_with_too_few_clips_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="lights off"):
        train_own(write(tmp_path / "clips", 2), tmp_path / "out", watch=lambda _: None)


def test_least_probability_is_the_first_with_enough_right_answers() -> None:
    probabilities = np.array([[0.55, 0.45, 0.0], [0.9, 0.1, 0.0], [0.1, 0.85, 0.05]])
    assert least_told(probabilities, np.array([1, 0, 1]), other=2) == 0.6
    assert least_told(probabilities, np.array([0, 0, 1]), other=2) == 0.4


@pytest.mark.long
def test_own_phrases_are_learnt_shipped_and_understood(tmp_path: Path) -> None:
    heard: list[str] = []
    figures = train_phrases(write(tmp_path / "clips", 6), tmp_path / "out", watch=heard.append, effort=SMALL)
    orders = Orders.load(tmp_path / "out")
    answers = [
        (label, orders.understand(said(label, 100 + n)).intent) for label in TONES_HZ for n in range(4)
    ]
    assert all(found in (label, None) for label, found in answers)
    assert set(orders.artifact.labels) == {*TONES_HZ, "other"}
    assert figures["flash_bytes"] > 0
    assert any("loss" in line for line in heard)
    assert orders.understand(np.zeros(16_000, np.int16)).reason is not None

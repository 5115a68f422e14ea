from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.tasks import ecg, scenes, speech
from benchmarks.tasks.mfcc import Mfcc
from benchmarks.tasks.task import DATA_VARIABLE, Schedule, Task, data_root
from benchmarks.tasks.teacher import accuracy, macro_f1, train_teacher
from pintsize.errors import DataError

LOADS = {"speech": speech.load, "ecg": ecg.load, "scenes": scenes.load}


def test_without_a_data_folder_the_message_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    with pytest.raises(DataError, match=f"--data FOLDER or set {DATA_VARIABLE}"):
        data_root()


def test_the_environment_names_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    assert data_root() == tmp_path


@pytest.mark.parametrize("name", LOADS)
def test_a_missing_data_set_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no data set"):
        LOADS[name](tmp_path)


def test_a_tone_raises_the_band_it_lies_in() -> None:
    features = Mfcc()
    tone = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000).astype(np.float32)[None]
    found = features(tone)
    assert found.shape == (1, 1, 49, 10)
    bands = np.linalg.pinv(features.cosines()) @ found[0, 0, 24]
    centre_hz = np.fft.rfftfreq(512, 1 / 8000)[features.filters().argmax(1)][bands.argmax()]
    assert abs(centre_hz - 1000) < 250


@pytest.mark.parametrize("samples", [800, 4000, 20000])
def test_a_clip_is_placed_in_exactly_one_second_at_even_loudness(samples: int) -> None:
    sound = np.random.default_rng(0).standard_normal(samples).astype(np.float32)
    quiet, loud = speech.place(0.01 * sound), speech.place(sound)
    assert quiet.shape == (8000,)
    np.testing.assert_allclose(quiet, loud, atol=1e-3)


def test_an_even_rhythm_is_zero_and_an_early_beat_is_not() -> None:
    positions = np.arange(1, 60) * 150
    np.testing.assert_allclose(ecg.rhythm(positions), 0, atol=1e-9)
    positions[40] -= 60
    before, after, _, uneven = ecg.rhythm(positions)[40]
    assert before < -0.3
    assert after > 0.2
    assert uneven > 0


@pytest.mark.parametrize(
    ("augment", "shape"),
    [
        (speech.mask_and_shift, (20, 1, 49, 10)),
        (ecg.vary, (20, 6, 128)),
        (scenes.turn_and_mirror, (20, 3, 32, 32)),
    ],
)
def test_augmentation_keeps_the_shape_and_repeats_with_its_seed(augment, shape: tuple[int, ...]) -> None:
    x = torch.randn(shape)
    once, again = (augment(x, torch.Generator().manual_seed(3)) for _ in range(2))
    assert once.shape == x.shape
    assert not torch.equal(once, x)
    torch.testing.assert_close(once, again)


def test_a_teacher_learns_what_can_be_learned_and_repeats_with_its_seed() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 256)
    x = (random.standard_normal((256, 4)) + 3 * y[:, None] - 1.5).astype(np.float32)
    task = Task(
        "toy", ("a", "b"), x, y, x, y, {}, lambda: torch.nn.Linear(4, 2), lambda b, _: b,
        Schedule(epochs=8, learning_rate=0.05),
    )  # fmt: skip
    lines: list[str] = []
    model = train_teacher(task, 1, lines.append)
    assert accuracy(model, x, y) > 0.95
    assert len(lines) == 8
    torch.testing.assert_close(train_teacher(task, 1, lines.append).state_dict(), model.state_dict())


def test_macro_f1_counts_a_rare_class_as_much_as_a_common_one() -> None:
    y = np.array([0] * 9 + [1])
    assert macro_f1(np.zeros(10, int), y, 2) == pytest.approx((18 / 19 + 0) / 2)

"""Training on a few synthetic words ends in a folder that runs, the same one each time; bad clips are refused."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
import torch

from pintsize import frontend
from pintsize.apps.assistant.wake import WakeWords
from pintsize.apps.assistant.wake.examples import Examples, examples
from pintsize.apps.assistant.wake.front import compiled_front_end
from pintsize.apps.assistant.wake.hearing import hear
from pintsize.apps.assistant.wake.learning import IGNORED, Schedule, learn, targets, varied
from pintsize.apps.assistant.wake.network import Network, absorb_input_norm
from pintsize.apps.assistant.wake.own import own_material
from pintsize.apps.assistant.wake.shape import Shape, front_end
from pintsize.apps.assistant.wake.training import Effort, train_own
from pintsize.apps.sounds import Labelled, as_codes
from pintsize.errors import DataError

SMALL = Shape(width=8, kernel=3, dilations=(1, 2), stem=3)
QUICK = Effort(words_examples=12, noises=4, schedule=Schedule(epochs=1, batch=8), shape=SMALL, hours=0.02)


def sweep(low_hz: float, high_hz: float, seed: int) -> np.ndarray:
    """Something like a word: half a second of a rising or falling tone."""
    at = np.linspace(0.0, 1.0, 8000)
    pitch = low_hz + (high_hz - low_hz) * at
    tone = np.sin(2 * np.pi * np.cumsum(pitch) / 16_000) * np.hanning(8000)
    return (0.3 * tone + np.random.default_rng(seed).normal(0, 0.003, 8000)).astype(np.float32)


def write_clips(folder: Path, count: int = 4) -> Path:
    for word, low, high in (("up", 300, 2000), ("down", 2500, 400), ("other", 800, 820)):
        (folder / word).mkdir(parents=True, exist_ok=True)
        for n in range(count):
            with wave.open(str(folder / word / f"{n}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(16_000)
                file.writeframes((sweep(low + 20 * n, high, n) * 32767).astype("<i2").tobytes())
    return folder


@pytest.mark.long
def test_own_words_become_a_folder_that_runs(tmp_path: Path) -> None:
    clips, said = write_clips(tmp_path / "clips"), list[str]()
    figures = train_own(clips, tmp_path / "a", effort=QUICK, watch=said.append)
    wake = WakeWords.load(tmp_path / "a")
    assert (wake.words, wake.labels, wake.hop_samples) == (("down", "up"), ("down", "up", "other"), 640)
    assert 0 < figures["flash_bytes"] < 40_000
    heard = hear(wake, sweep(300, 2000, 9))
    assert heard.chances.shape == (12, 3)
    assert heard.times_s[-1] == pytest.approx(0.48)
    assert any("epoch 1 of 1" in line for line in said)
    assert "down, up" in (tmp_path / "a" / "CARD.md").read_text()


def test_the_compiled_front_end_gives_the_same_integers() -> None:
    sounds = np.stack([as_codes(sweep(300, 2000, n)) for n in range(2)])
    wanted = frontend.features(front_end(0.5), sounds)
    with compiled_front_end(0.5) as front:
        np.testing.assert_array_equal(np.stack([front(codes) for codes in sounds]), wanted)


def test_another_voice_and_microphone_move_the_bands_a_little() -> None:
    x = torch.randn(6, 20, 40, generator=torch.Generator().manual_seed(0)) - 20.0
    made = varied(x, torch.Generator().manual_seed(1))
    assert torch.equal(made, varied(x, torch.Generator().manual_seed(1)))
    colour = made - x
    assert made.shape == x.shape
    assert 0.2 < float(colour.mean(1).abs().mean()) < 3.0


def test_the_same_seed_learns_the_same_weights() -> None:
    words = [Labelled(sweep(300, 2000, n), "up", "", str(n), {}) for n in range(3)]

    def learnt(seed: int) -> dict[str, torch.Tensor]:
        made = examples(words, ["up"], [sweep(800, 820, 0)], copies=2, noises=3, seed=seed)
        torch.manual_seed(seed)
        return learn(
            Network(SMALL, 2), made, Schedule(epochs=2, batch=4), seed, list[str]().append
        ).state_dict()

    first, again, other = learnt(0), learnt(0), learnt(1)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_own_clips_are_divided_so_that_each_word_is_in_both_parts(tmp_path: Path) -> None:
    learnt, chosen = own_material(write_clips(tmp_path, 6), seed=0)
    assert learnt.labels == chosen.labels == ("down", "up")
    assert not {c.origin for c in learnt.words} & {c.origin for c in chosen.words}
    assert len(learnt.words) + len(chosen.words) == 12
    assert {c.label for c in learnt.others} == {"other", "shuffled"}


def test_clips_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"fewer than 3 clips of down \(2\), up \(2\)"):
        own_material(write_clips(tmp_path / "few", 2), 0)
    long = write_clips(tmp_path / "long", 3)
    with wave.open(str(long / "up" / "0.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.zeros(16_000 * 4, "<i2").tobytes())
    with pytest.raises(DataError, match=r"up.0\.wav is 4\.0 s long"):
        own_material(long, 0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no subfolders"):
        own_material(tmp_path / "empty", 0)


def test_answers_are_the_word_at_its_end_and_other_before_and_long_after() -> None:
    shape = Shape()
    made = Examples(
        np.zeros((2, 149, 40), np.float16), np.array([1, -1]), np.array([1.2, 0.0]), np.array([1.6, 0.0]),
        np.zeros((1, 149, 40), np.float16),
    )  # fmt: skip
    found = targets(made, shape, words=3)
    ends_s = np.array([shape.answered_s(a) for a in range(shape.answers(149))])
    assert set(found[1]) == {3}
    assert set(found[0][(ends_s > 1.59) & (ends_s < 1.79)]) == {1}
    assert set(found[0][ends_s < 1.33]) == {3}
    assert set(found[0][(ends_s > 1.36) & (ends_s < 1.57)]) == {IGNORED}
    assert set(found[0][ends_s > 2.91]) == {3}


def test_words_lie_where_the_examples_say() -> None:
    words = [Labelled(sweep(300, 2000, n), "up", "", str(n), {}) for n in range(2)]
    silence = [np.full(1600, 1e-4, np.float32)]
    made = examples(words, ["up"], silence, copies=2, noises=2, seed=0)
    said = np.flatnonzero(made.word == 0)
    assert len(said) == 4
    for index in said:
        loud = made.features[index].astype(np.float32).max(1)
        times_s = np.arange(len(loud)) * 0.02 + 0.016
        inside = (times_s > made.begin_s[index] + 0.05) & (times_s < made.end_s[index] - 0.05)
        assert loud[inside].min() > loud[times_s < made.begin_s[index] - 0.3].max(initial=-40.0)


def test_the_norm_of_the_input_moves_into_the_first_layer() -> None:
    torch.manual_seed(0)
    network = Network(SMALL, 3)
    x = torch.randn(4, 40, SMALL.frames) * 3 - 10
    network.train()(x)
    before = network.eval()(x)
    absorb_input_norm(network)
    torch.testing.assert_close(network(x), before, atol=1e-4, rtol=1e-4)

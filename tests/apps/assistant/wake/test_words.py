"""What ships loads without torch, computes what was proven, hears its words, and refuses what it is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.assistant.wake import WakeWords
from pintsize.apps.assistant.wake.evaluation import measured
from pintsize.apps.assistant.wake.hearing import detections, hear
from pintsize.apps.assistant.wake.levels import RULE
from pintsize.apps.assistant.wake.parts import Material, public_material
from pintsize.apps.assistant.wake.scenes import alone
from pintsize.apps.assistant.wake.words import WEIGHTS, detection_of, facts_of
from pintsize.apps.sounds import NOISES, noise
from pintsize.errors import UserError, VerificationError
from tests.stream.tiny_artifact import write_tiny

WORDS = ("alexa", "computer", "jarvis", "smart_mirror", "snowboy", "view_glass")
#: what the wake words may take
MOST_FLASH_BYTES = 40_000


@pytest.fixture(scope="module")
def wake() -> WakeWords:
    return WakeWords.load()


@pytest.fixture(scope="module")
def kept() -> Material:
    """The test part of the public data."""
    data = Path(__file__).parents[4].parent / "shared" / "data"
    if not (data / "wakewords_picovoice").is_dir():
        pytest.skip(f"{data} has no wakewords_picovoice")
    return public_material(data, "test")[0]


def test_what_ships_is_small_and_says_what_it_hears(wake: WakeWords) -> None:
    assert wake.words == WORDS
    assert wake.labels == (*WORDS, "other")
    assert (wake.hop_samples, wake.hop_s) == (640, 0.04)
    assert wake.detection == RULE
    figures = wake.artifact.manifest.content["figures"]
    assert 0 < figures["flash_bytes"] <= MOST_FLASH_BYTES
    assert figures["flash_device"] == "stm32l4r5"


def test_a_step_takes_a_fifth_of_a_small_core_at_most(wake: WakeWords) -> None:
    latency_ms = wake.artifact.manifest.content["figures"]["latency_ms"]
    assert latency_ms <= 0.2 * 1e3 * wake.hop_s


def test_noise_and_silence_wake_nobody(wake: WakeWords) -> None:
    for kind in NOISES:
        heard = hear(wake, noise(kind, 48_000, np.random.default_rng(0)))
        assert [d for w in WORDS for d in detections(heard, wake.labels, w, wake.detection)] == []
    heard = hear(wake, np.zeros(32_000, np.float32))
    assert [d for w in WORDS for d in detections(heard, wake.labels, w, wake.detection)] == []


def test_a_replay_gives_the_same_chances(wake: WakeWords) -> None:
    sound = noise("pink", 32_000, np.random.default_rng(1))
    first, again = hear(wake, sound), hear(wake, sound)
    assert np.array_equal(first.chances, again.chances)
    np.testing.assert_allclose(first.chances.sum(1), 1.0, atol=1e-3)


def test_most_words_are_heard_and_none_for_another(wake: WakeWords, kept: Material) -> None:
    clips = [c for word in WORDS for c in [c for c in kept.words if c.label == word][:5]]
    right = wrong = 0
    for number, one in enumerate(clips):
        heard = hear(wake, alone(one.clip, number))
        told = {w for w in WORDS if detections(heard, wake.labels, w, wake.detection)}
        right += one.label in told
        wrong += len(told - {one.label})
    assert right >= 26
    assert wrong <= 1


def test_an_evaluation_has_the_names_it_promises(wake: WakeWords, kept: Material) -> None:
    words = tuple(c for word in WORDS for c in [c for c in kept.words if c.label == word][:2])
    metrics = measured(wake, Material(words, kept.others[:20]), hours=0.1, seed=0)
    assert 0.0 <= metrics["wake_word_false_reject_at_0.5_per_hour"] <= 1.0
    assert {f"wake_word_false_reject_at_0.5_per_hour.{w}" for w in WORDS} <= set(metrics)
    assert metrics["wake_word_flash_bytes"] == wake.artifact.manifest.content["figures"]["flash_bytes"]
    assert metrics["wake_word_clips"] == 12
    assert 0.09 < metrics["wake_word_negative_hours"] <= 0.1


def test_what_is_no_model_of_wake_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no model of wake words"):
        WakeWords.load(write_tiny(tmp_path / "tiny"))
    with pytest.raises(UserError):
        WakeWords.load(tmp_path)


def test_a_rule_survives_the_manifest_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    facts = json.loads(json.dumps(facts_of(RULE)))
    assert detection_of(facts, tmp_path) == RULE
    with pytest.raises(UserError, match="damaged"):
        detection_of({**facts, "on": "loud"}, tmp_path)
    with pytest.raises(UserError, match="damaged"):
        detection_of({}, tmp_path)


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    for file in WEIGHTS.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    program = bytearray((tmp_path / "model.wasm").read_bytes())
    program[-1] ^= 1
    (tmp_path / "model.wasm").write_bytes(bytes(program))
    with pytest.raises(VerificationError):
        WakeWords.load(tmp_path)


def test_wake_words_need_no_torch() -> None:
    said = """
import sys
import pintsize.apps.assistant.wake.evaluation
from pintsize.apps.assistant.wake import WakeWords
WakeWords.load()
print([name for name in sys.modules if name.partition(".")[0] == "torch"])
"""
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

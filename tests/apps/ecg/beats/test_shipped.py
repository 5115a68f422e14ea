"""The detector as it ships: small, proven, without torch, and right on real records where they are there."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from pintsize import read_saved
from pintsize.apps.ecg.beats import BeatModel, load_beats
from pintsize.apps.ecg.beats.evaluation import find
from pintsize.apps.ecg.beats.model import WEIGHTS
from pintsize.apps.ecg.beats.records import FOLDER, read_record
from pintsize.errors import UserError
from pintsize.integers import Steps
from pintsize.write.c import write
from tests.signals import DATA, heartbeats, on_cortex_m4, on_host

MINUTES = 10


@pytest.fixture(scope="module")
def model() -> BeatModel:
    return load_beats()


def test_it_loads_and_is_small(model: BeatModel) -> None:
    figures = model.artifact.manifest.content["figures"]
    assert figures["flash_bytes"] <= 4_000
    assert model.rate_hz == 180
    assert (model.delay_samples + model.hop_samples) / model.rate_hz < 0.5
    assert (WEIGHTS / "CARD.md").read_text().count("A screening aid, not a diagnosis") == 1


def test_another_artifact_is_no_detector() -> None:
    with pytest.raises(UserError, match="no detector of beats"):
        load_beats(WEIGHTS.parent / "classes")


def test_it_finds_the_beats_of_a_real_record(model: BeatModel) -> None:
    path = DATA / FOLDER / "103.npz"
    if not path.is_file():
        pytest.skip(f"{path} is missing")
    record = read_record(path)
    found = find(model, record)
    assert (found.matched.hits >= 0).mean() > 0.99
    assert found.matched.right.mean() > 0.99


def assert_the_same_everywhere(samples: np.ndarray) -> None:
    """Python, C on this computer, C on an emulated Cortex-M4 and the shipped program, sample by sample."""
    model = load_beats()
    graph = read_saved(WEIGHTS)
    steps = samples[: len(samples) // model.hop_samples * model.hop_samples].reshape(-1, model.hop_samples)
    python = Steps(graph)
    expected = np.concatenate([python.step(row[None]) for row in steps])
    assert np.ptp(expected) > 100
    assert np.array_equal(on_host(write(graph).files, graph, steps), expected)
    assert np.array_equal(on_cortex_m4(graph, steps), expected)
    assert np.array_equal(np.stack([model.run(row) for row in steps]).reshape(expected.shape), expected)


def test_the_front_end_gives_the_same_integers_everywhere() -> None:
    random = np.random.default_rng(0)
    assert_the_same_everywhere(np.clip(random.normal(0, 2000, 3600), -32768, 32767).astype(np.int16))


@pytest.mark.long
def test_ten_minutes_of_heartbeats_differ_in_no_sample() -> None:
    assert_the_same_everywhere(heartbeats(MINUTES * 60 * 180))


def test_running_it_leaves_torch_out() -> None:
    program = (
        "import sys, numpy as np; from pintsize.apps.ecg.beats import load_beats; model = load_beats(); "
        "model.finder().update(0.1, model.run(np.zeros(model.hop_samples, np.int16))); "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"

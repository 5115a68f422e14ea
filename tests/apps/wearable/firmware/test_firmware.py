"""The wearable in C decides what it decides in Python: the same program, run on this computer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pintsize.apps.wearable.activity import load_activity
from pintsize.apps.wearable.activity.activity import WEIGHTS
from pintsize.apps.wearable.activity.recordings import FOLDER, people_of, recordings_of
from pintsize.apps.wearable.firmware import Firmware, building, firmware
from pintsize.apps.wearable.firmware.building import figures_of
from pintsize.apps.wearable.heart_rate.heart_rate import load_heart_rate
from pintsize.errors import DeviceError, DoesNotFit

#: models and programs are compiled
pytestmark = pytest.mark.long
DEVICE = "stm32l4r5"
DATA = Path(os.environ.get("PINTSIZE_DATA", Path(__file__).parents[5] / "shared" / "data"))


@pytest.fixture(scope="module")
def written() -> Firmware:
    return firmware(WEIGHTS.parent, DEVICE)


@pytest.fixture(scope="module")
def program(written: Firmware, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("c")
    for name, text in written.files.items():
        (folder / name).write_text(text)
    warnings = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    command = [sys.executable, "-m", "ziglang", "cc", *warnings, *written.sources, "-o", "wearable"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "wearable"


def told_by(program: Path, samples: NDArray[np.int16], *given: str) -> list[dict[str, Any]]:
    done = subprocess.run([program, *given], input=samples.tobytes(), capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def drawn_session(seed: int) -> NDArray[np.int16]:
    """(n, 6): still, swinging, beyond the sensor's range, in any order, cut off anywhere."""
    random = np.random.default_rng(seed)
    parts = []
    for _ in range(6):
        t = np.arange(int(random.integers(20, 200)))[:, None] / 50
        swing = np.sin(2 * np.pi * random.uniform(0.3, 3, 6) * t) * 10 ** random.uniform(1, 4.8, 6)
        parts.append(swing + random.normal(0, 2000, 6) + random.normal(0, 50, (len(t), 6)))
    return np.clip(np.rint(np.concatenate(parts)), -32768, 32767).astype(np.int16)


def assert_same(program: Path, samples: NDArray[np.int16]) -> None:
    model = load_activity()
    hop = model.hop_samples
    found = told_by(program, samples)
    ends = range(hop, len(samples) + 1, hop)
    assert len(found) == len(ends)
    for said, end in zip(found, ends, strict=True):
        told = model.ask(end / 50, samples[end - hop : end])
        assert said["activity"] == told.label
        assert said["time_s"] == pytest.approx(end / 50)
        assert (said.get("reason") == "unsure") == told.reason.startswith("unsure")


@pytest.mark.parametrize("seed", range(8))
def test_the_program_decides_what_python_decides(seed: int, program: Path) -> None:
    assert_same(program, drawn_session(seed))


@pytest.mark.skipif(not (DATA / FOLDER).is_dir(), reason="the recordings are not there")
def test_also_of_real_sessions(program: Path) -> None:
    people = people_of(DATA)["val"]
    for recording in recordings_of(DATA, people[:1])[::4]:
        assert_same(program, recording.samples)


@pytest.mark.parametrize("kind", ["ppg", "ecg"])
def test_the_heart_rate_is_what_python_says(kind: str, program: Path) -> None:
    heart = load_heart_rate(kind)
    rate_hz, random = heart.kind.rate_hz, np.random.default_rng(0)
    t = np.arange(25 * rate_hz) / rate_hz
    pulse = 4000 * np.maximum(0, np.sin(2 * np.pi * 1.3 * t)) ** (4 if kind == "ppg" else 40)
    samples = np.rint(pulse + random.normal(0, 60, len(t))).astype(np.int16)
    found = told_by(program, samples, kind)
    wanted = [heart.codes(samples[s * rate_hz : (s + 1) * rate_hz]) for s in range(25)]
    assert [(said["sixteenths"], said["reason"]) for said in found] == wanted
    assert any(rate for rate, _ in wanted)


def test_what_it_takes_is_told(written: Firmware) -> None:
    found = figures_of(written, DEVICE)
    parts = ("activity", "heart_rate_ppg", "heart_rate_ecg", "decision")
    assert found["flash_bytes"] == sum(found[f"{part}_flash_bytes"] for part in parts)
    assert 0 < found["decision_flash_bytes"] < 1000
    assert 0 < found["activity_latency_ms"] < 100, "a step every 0.1 s"


def test_the_folder_says_what_is_in_it(
    written: Firmware, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "firmware", lambda *given: written)
    figures = building.build(DEVICE, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"wearable.c", "activity.c", "heart_rate_ppg.c", "parameters.h", "Makefile", "README.md"} <= names
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["figures"] == figures
    assert set(manifest["sha256"]) == names - {"manifest.json"}
    assert "not a diagnosis" in (tmp_path / "out" / "README.md").read_text()


def test_a_device_that_is_too_small_is_refused_with_the_figures(
    written: Firmware, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "firmware", lambda *given: written)
    large = {"flash_bytes": 1e9, "ram_bytes": 1.0}
    monkeypatch.setattr(building, "figures_of", lambda *given: large)
    with pytest.raises(DoesNotFit, match="B of flash"):
        building.build(DEVICE, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_device_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="toaster"):
        building.build("toaster", tmp_path / "out")

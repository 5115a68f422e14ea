"""The ECG in C decides what it decides in Python: the same program, run on this computer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pintsize import compile_model
from pintsize.apps.ecg.firmware import Firmware, building, firmware
from pintsize.apps.ecg.firmware.building import figures_of
from pintsize.apps.ecg.firmware.program import resampling
from pintsize.apps.ecg.pieces import SHIPPED, Pieces, load_pieces
from pintsize.apps.ecg.quality import COUNTS_PER_MV
from pintsize.errors import DoesNotFit, UserError
from pintsize.stream.artifact import load
from pintsize.stream.decision import record
from tests.apps.ecg.hearts import counts, drawn_pieces, heart, steady
from tests.apps.ecg.playing import Leads, played

#: models and programs are compiled
pytestmark = pytest.mark.long

DATA = Path(__file__).parents[4] / "shared" / "data" / "ecg_mitbih"
DEVICE = "nrf52840"


def compiled(made: Firmware, folder: Path) -> Path:
    """The program for this computer; whatever is undefined in C ends it."""
    for name, text in made.files.items():
        (folder / name).write_text(text)
    flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsanitize=undefined"]
    command = [sys.executable, "-m", "ziglang", "cc", *flags, *made.sources, "-o", "ecg"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "ecg"


@pytest.fixture(scope="module")
def written(heart_folders: dict[str, Path]) -> Firmware:
    pieces = drawn_pieces(heart_folders["beats"], heart_folders["classes"])
    return firmware(pieces.beats, pieces.classes, heart_folders, DEVICE)


@pytest.fixture(scope="module")
def program(written: Firmware, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(written, tmp_path_factory.mktemp("c"))


def told_by(program: Path, samples: NDArray[np.int16]) -> list[dict[str, Any]]:
    done = subprocess.run([program], input=samples.tobytes(), capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def in_python(samples: NDArray[np.int16], pieces: Pieces) -> list[dict[str, Any]]:
    """As the program prints it: a triage by the bits of its rules."""
    whole = len(samples) // pieces.beats.hop_samples * pieces.beats.hop_samples
    done = played(Leads(samples[:whole]), pieces)
    told = [record(decision) for decision in done.heard]
    told[-1] |= {"bits": done.study.triage.bits}
    return told


def plain(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what only one of both has: texts with figures in them, and the last places of times."""
    made: list[dict[str, Any]] = []
    for decision in told:
        kind = decision["kind"]
        kept = {name: decision[name] for name in ("kind", "value", "confidence", "bits") if name in decision}
        kept["time_s"] = round(decision["time_s"], 4)
        if kind == "rhythm":
            kept["slots"] = {name: float(v) for name, v in decision["slots"].items() if "_bpm" not in name}
        elif kind not in ("triage", "lead"):
            kept |= {name: decision[name] for name in ("slots", "reason") if name in decision}
            kept |= {"start_s": round(decision["start_s"], 4)} if "start_s" in decision else {}
        made.append(kept)
    return made


def assert_same(program: Path, samples: NDArray[np.int16], pieces: Pieces) -> list[dict[str, Any]]:
    """Decision by decision."""
    wanted = in_python(samples, pieces)
    assert plain(told_by(program, samples)) == plain(wanted)
    return wanted


def drawn_session(seed: int) -> NDArray[np.int16]:
    """Beats of all kinds, pauses, and signal that is not fit, in any order."""
    drawn = np.random.default_rng(seed)
    beats: list[tuple[str, float]] = []
    for _ in range(70):
        kind = str(drawn.choice(["N", "N", "N", "S", "V", "V"]))
        slow = drawn.choice([0.7, 0.8, 0.9, 1.2, 2.3, 4.8], p=[0.3, 0.3, 0.25, 0.1, 0.03, 0.02])
        beats.append((kind, float(slow if kind == "N" else drawn.uniform(0.35, 0.6))))
    made = heart([*steady(8), *beats], seed, float(drawn.choice([0.005, 0.02, 0.05])))
    for kind, at in zip(drawn.permutation(8)[:3], (3000, 5500, 8000), strict=True):
        _spoil(made[at : at + int(drawn.integers(100, 900))], int(kind), drawn)
    return counts(-made if seed % 5 == 4 else made)


def _spoil(made: NDArray[np.float64], kind: int, drawn: np.random.Generator) -> None:
    """One of the faults, in place."""
    at = np.arange(len(made))
    if kind < 2:
        made += 0.3 * np.sin(2 * np.pi * (50, 60)[kind] * at / 180)
    elif kind == 2:
        made += drawn.normal(0, 0.4, len(made))
    elif kind in (3, 4):
        made += (4.0, 30.0)[kind - 3] * np.sin(at / 40)
    elif kind == 5:
        made[:] = 0.2
    elif kind == 6:
        np.clip(made, -0.1, 0.3, out=made)
    else:
        made *= 0.02


@pytest.mark.parametrize("seed", range(6))
def test_the_program_decides_what_python_decides(seed: int, program: Path, hearts: Pieces) -> None:
    told = assert_same(program, drawn_session(seed), hearts)
    assert {"beat", "rate", "quality", "rhythm", "triage"} <= {d["kind"] for d in told}
    assert sum(d["kind"] == "beat" for d in told) > 20


@pytest.mark.parametrize("made", [steady(30), [*steady(12), ("N", 9.0)], [("N", 0.9)] * 3])
def test_and_so_of_what_is_plain(made: list[tuple[str, float]], program: Path, hearts: Pieces) -> None:
    assert_same(program, counts(heart(made)), hearts)


def test_a_session_without_samples_decides_nothing(program: Path) -> None:
    assert told_by(program, np.zeros(0, np.int16)) == []


def test_other_rates_are_converted_within_the_program(
    heart_folders: dict[str, Path], hearts: Pieces, tmp_path: Path
) -> None:
    """Python is given what the resampling artifact gives, in place of its own conversion."""
    made = firmware(hearts.beats, hearts.classes, heart_folders, DEVICE, rate_hz=250)
    program = compiled(made, tmp_path)
    converted = resampling(250)
    assert converted is not None
    compile_model(converted.graph, "raspberrypi4", tmp_path / "resample", stream=converted.raw)
    artifact = load(tmp_path / "resample")
    raw = counts(heart([*steady(12), *[("V", 0.45)] * 4, *steady(6)], rate_hz=250))
    raw = raw[: len(raw) // converted.raw * converted.raw]
    samples = np.concatenate([artifact.run(step) for step in raw.reshape(-1, converted.raw)])
    wanted = in_python(samples, hearts)
    assert plain(told_by(program, raw)) == plain(wanted)
    assert [d["value"] for d in wanted if d["kind"] == "triage"] == ["urgent"]
    assert made.taken["resample"]["flash_bytes"] > 0


def test_rates_that_cannot_be_converted_are_refused() -> None:
    assert resampling(180) is None
    for rate_hz in (50, 251, 5000):
        with pytest.raises(UserError, match=f"--rate-hz {rate_hz}"):
            resampling(rate_hz)


def test_what_it_takes_is_told(written: Firmware) -> None:
    found = figures_of(written, DEVICE)
    parts = ("beats", "finder", "classes", "naming", "decisions")
    assert found["flash_bytes"] == sum(found[f"{part}_flash_bytes"] for part in parts)
    assert 0 < found["decisions_flash_bytes"] < 8_000
    assert 2048 < found["decisions_ram_bytes"] < 6_000
    assert found["ram_bytes"] < 16_000


@pytest.fixture
def _shipped_are_drawn(
    written: Firmware, heart_folders: dict[str, Path], hearts: Pieces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "load_pieces", lambda weights: hearts)
    monkeypatch.setattr(building, "folder_of", lambda weights, piece: heart_folders[piece])
    monkeypatch.setattr(building, "firmware", lambda *given, **more: written)


@pytest.mark.usefixtures("_shipped_are_drawn")
def test_the_folder_says_what_is_in_it_and_is_the_same_again(tmp_path: Path) -> None:
    figures = building.build(DEVICE, tmp_path / "once")
    building.build(DEVICE, tmp_path / "again")
    names = {path.name for path in (tmp_path / "once").iterdir()}
    assert {"ecg.c", "beats.c", "classes.c", "gate.c", "parameters.h", "Makefile", "README.md"} <= names
    for name in names:
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    readme = (tmp_path / "once" / "README.md").read_text()
    assert f"{figures['flash_bytes']:,.6g}" in readme
    assert "A screening aid, not a diagnosis" in readme
    manifest = json.loads((tmp_path / "once" / "manifest.json").read_text())
    assert manifest["figures"] == figures
    assert set(manifest["sha256"]) == names - {"manifest.json"}


@pytest.mark.usefixtures("_shipped_are_drawn")
def test_a_device_that_is_too_small_is_refused_with_the_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "figures_of", lambda made, device: {"flash_bytes": 2e7, "ram_bytes": 100.0})
    with pytest.raises(DoesNotFit, match="20,000,000 B of flash"):
        building.build(DEVICE, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_real_recordings_with_the_shipped_weights_are_decided_alike(tmp_path: Path) -> None:
    missing = [piece for piece in ("beats", "classes") if not (SHIPPED / piece / "manifest.json").is_file()]
    if missing or not DATA.is_dir():
        pytest.skip(f"no weights of {', '.join(missing)}" if missing else f"no {DATA}")
    shipped = load_pieces()
    folders = {piece: SHIPPED / piece for piece in ("beats", "classes")}
    program = compiled(firmware(shipped.beats, shipped.classes, folders, DEVICE), tmp_path)
    for name in ("203", "207"):
        with np.load(DATA / f"{name}.npz") as content:
            samples = content["ecg"][: 4 * 60 * 180]
        shipped.beats.artifact.reset()
        told = assert_same(program, samples, shipped)
        assert sum(d["kind"] == "beat" for d in told) > 200
    assert COUNTS_PER_MV == 200

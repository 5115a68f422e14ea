"""The assistant in C decides what it decides in Python: the same program, run on this computer."""

from __future__ import annotations

import json
import subprocess
import sys
from ctypes import CDLL, c_void_p
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pintsize.apps.assistant.chances import CHANCE_BITS, Chances
from pintsize.apps.assistant.digits import Digits
from pintsize.apps.assistant.firmware import Firmware, building, firmware
from pintsize.apps.assistant.firmware.building import figures_of, programs_of
from pintsize.apps.assistant.firmware.parameters import hops
from pintsize.apps.assistant.listening import Listening
from pintsize.apps.assistant.loudness import Loudness, level_of
from pintsize.apps.assistant.orders.orders import Menu, Orders
from pintsize.apps.assistant.phrases.classifier import Classifier
from pintsize.apps.assistant.phrases.window import window_of
from pintsize.apps.assistant.pieces import Pieces, WakePiece
from pintsize.errors import DataError, DoesNotFit, UserError
from pintsize.stream.artifact import load
from pintsize.stream.decision import Calibration, record
from pintsize.stream.decision.stage import passed
from pintsize.stream.manifest import Interface
from tests.apps.assistant.playing import Sound, played
from tests.apps.assistant.tones import (
    HOP,
    MENU,
    RATE_HZ,
    ToneWords,
    digits_artifact,
    orders_artifact,
    said,
)

#: models and programs are compiled
pytestmark = pytest.mark.long


@dataclass(frozen=True, eq=False)
class Understanding:
    """What understands phrases, and where its artifacts lie."""

    digits: Digits
    orders: Orders
    folders: dict[str, Path]

    def with_wake(self, wake: WakePiece) -> Pieces:
        return Pieces(wake, self.digits, self.orders)


@pytest.fixture(scope="module")
def understanding(tmp_path_factory: pytest.TempPathFactory, tone_folder: Path) -> Understanding:
    home = tmp_path_factory.mktemp("c")
    folders = {"wake": tone_folder, "digits": home / "digits", "orders": home / "orders"}
    digits = Digits(Classifier(digits_artifact(folders["digits"]), least=0.7))
    groups = {group: tuple(values) for group, values in MENU.items()}
    orders = Orders(orders_artifact(folders["orders"]), Menu("orderDrink", groups, "coffeeDrink", 0.3))
    return Understanding(digits, orders, folders)


@pytest.fixture(scope="module")
def written(understanding: Understanding) -> Firmware:
    pieces = understanding.with_wake(ToneWords(load(understanding.folders["wake"])))
    return firmware(pieces.wake, understanding.folders, programs_of(pieces), "stm32h7a3")


@pytest.fixture
def heard_by(tones: Pieces, understanding: Understanding) -> Pieces:
    """What the program has in it."""
    return understanding.with_wake(tones.wake)


@pytest.fixture(scope="module")
def program(written: Firmware, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("c")
    for name, text in written.files.items():
        (folder / name).write_text(text)
    warnings = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    command = [sys.executable, "-m", "ziglang", "cc", *warnings, *written.sources, "-lm", "-o", "assistant"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "assistant"


def told_by(program: Path, samples: NDArray[np.int16]) -> list[dict[str, Any]]:
    done = subprocess.run([program], input=samples.tobytes(), capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


#: how far a confidence may be off: an order's is the product of probabilities of 15 bits
CLOSE = 5e-4


def in_python(samples: NDArray[np.int16], pieces: Pieces) -> list[dict[str, Any]]:
    """As the program prints it; what an order asks of the home is the caller's there."""
    return [record(d) for d in played(Sound(samples), pieces).heard if d.kind != "action"]


def assert_same(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> None:
    assert [(d["kind"], d["value"]) for d in found] == [(d["kind"], d["value"]) for d in wanted]
    for c, python in zip(found, wanted, strict=True):
        assert c["time_s"] == pytest.approx(python["time_s"], abs=1e-6)
        assert c["start_s"] == pytest.approx(python["start_s"], abs=1e-6)
        assert c.get("confidence", -1.0) == pytest.approx(python.get("confidence", -1.0), abs=CLOSE)
        assert c["slots"] == python.get("slots", {})


def drawn_session(seed: int) -> NDArray[np.int16]:
    """Words and pauses in any order, cut off anywhere."""
    drawn = np.random.default_rng(seed)
    parts: list[str | float] = []
    for _ in range(10):
        parts += [
            str(drawn.choice(["computer", "lamp", "digit", "order"])),
            float(drawn.choice([0.1, 0.3, 0.8, 1.5, 5.5])),
        ]
    return said(*parts)[: -int(drawn.integers(1, 20_000))]


@pytest.mark.parametrize("seed", range(8))
def test_the_program_decides_what_python_decides(seed: int, program: Path, heard_by: Pieces) -> None:
    samples = drawn_session(seed)
    wanted = in_python(samples, heard_by)
    assert_same(told_by(program, samples), wanted)
    assert {d["kind"] for d in wanted} <= {"detected", "digit", "order", "unknown"}
    assert len(wanted) >= 2


def test_an_order_has_the_same_slots(program: Path, heard_by: Pieces) -> None:
    samples = said(
        1.0,
        "lamp",
        0.4,
        "order",
        0.05,
        "lamp",
        0.05,
        "computer",
        1.5,
        "computer",
        0.4,
        "order",
        0.05,
        "lamp",
        1.5,
    )
    wanted = in_python(samples, heard_by)
    assert [d.get("slots") for d in wanted if d["kind"] == "order"] == [
        {"coffeeDrink": "mocha", "milkAmount": "some milk"}, {"coffeeDrink": "mocha", "milkAmount": "milk"},
    ]  # fmt: skip
    assert_same(told_by(program, samples), wanted)


def test_a_phrase_without_an_end_times_out_in_both(program: Path, heard_by: Pieces) -> None:
    samples = said(1.0, "computer", 0.4, *["order"] * 25, 2.0, "lamp", 1.0)
    wanted = in_python(samples, heard_by)
    assert_same(told_by(program, samples), wanted)
    assert "timeout" in [d["reason"] for d in told_by(program, samples) if d["value"] is None]


def test_what_it_takes_is_told(written: Firmware) -> None:
    found = figures_of(written, "stm32h7a3", HOP)
    assert found["flash_bytes"] == sum(
        found[f"{part}_flash_bytes"] for part in ("wake", "digits", "orders", "decisions")
    )
    assert 0 < found["decisions_flash_bytes"] < 12_000
    assert found["decisions_ram_bytes"] > 8 * RATE_HZ * 2, "the longest phrase is kept"
    assert 0 < found["wake_share_of_core"] < 0.2


@pytest.fixture
def _shipped_are_tones(
    written: Firmware, understanding: Understanding, heard_by: Pieces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "load_pieces", lambda weights: heard_by)
    monkeypatch.setattr(building, "folder_of", lambda weights, piece: understanding.folders[piece])
    monkeypatch.setattr(building, "firmware", lambda *given, **more: written)


@pytest.mark.usefixtures("_shipped_are_tones")
def test_the_folder_says_what_is_in_it_and_is_the_same_again(tmp_path: Path) -> None:
    figures = building.build("stm32h7a3", tmp_path / "once")
    building.build("stm32h7a3", tmp_path / "again")
    names = {path.name for path in (tmp_path / "once").iterdir()}
    assert {
        "assistant.c",
        "wake.c",
        "digits_read.c",
        "orders_read.c",
        "parameters.h",
        "Makefile",
        "README.md",
    } <= names
    for name in names:
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert f"{figures['flash_bytes']:,.6g}" in (tmp_path / "once" / "README.md").read_text()
    manifest = json.loads((tmp_path / "once" / "manifest.json").read_text())
    assert manifest["figures"] == figures
    assert set(manifest["sha256"]) == names - {"manifest.json"}


@pytest.mark.usefixtures("_shipped_are_tones")
def test_a_device_that_is_too_small_is_refused_with_the_figures(tmp_path: Path) -> None:
    with pytest.raises(DoesNotFit, match="B of RAM"):
        building.build("rp2040", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_listening_without_a_wake_word_is_not_for_c(tones: Pieces, tone_folder: Path) -> None:
    with pytest.raises(UserError, match="waits for a wake word"):
        firmware(tones.wake, {"wake": tone_folder}, (), "stm32h7a3", Listening(always=True))


def test_a_window_is_the_same_to_the_last_bit(program: Path) -> None:
    """Whatever the phrase: its blocks, its loudness, its loudest run."""
    library = windows_of(program.parent)
    for seed in range(60):
        drawn = np.random.default_rng(seed)
        n, length = int(drawn.integers(300, 40_000)), int(drawn.choice([8000, 16_000]))
        shape = np.interp(np.arange(n), np.sort(drawn.integers(0, n, 12)), drawn.normal(0, 1, 12))
        loud = drawn.normal(0, 1, n) * shape**2 * 10 ** drawn.uniform(0, 4)
        samples = np.clip(np.rint(loud), -32768, 32767).astype(np.int16)
        found = np.zeros(length, np.int16)
        heard = library.window_of(samples.ctypes.data_as(c_void_p), n, found.ctypes.data_as(c_void_p), length)
        try:
            wanted = window_of(samples, length)
        except DataError:
            assert not heard
            continue
        assert heard
        np.testing.assert_array_equal(found, wanted)


def windows_of(folder: Path) -> CDLL:
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-O1",
        "-shared",
        "-fPIC",
        "window.c",
        "-lm",
        "-o",
        "window.so",
    ]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return CDLL(str(folder / "window.so"))


@pytest.mark.parametrize("period_s", [0.0, 0.02, 0.1, 0.11, 0.7, 5.0])
def test_hops_count_what_a_stage_of_times_says(period_s: float) -> None:
    first = next(k for k in range(1000) if passed(period_s, 3.0, 3.0 + k * HOP / RATE_HZ))
    assert hops(period_s, HOP) == first


def test_chances_are_a_softmax_to_the_last_bits() -> None:
    output = Interface((4,), "int8", 0.05, 3)
    calibration = Calibration(1.3)
    codes = np.array([-128, 3, 40, 127], np.int8)
    exact = calibration.probabilities(output.dequantize(codes))
    found = Chances(output, calibration).of(output.dequantize(codes))
    np.testing.assert_allclose(found, exact, atol=2.0**-CHANCE_BITS * 2)


def test_chances_need_logits() -> None:
    with pytest.raises(UserError, match="two logits or more"):
        Chances(Interface((3,), "int8", 0.1, 0), Calibration(scores="probabilities"))


def test_loudness_is_told_above_the_room() -> None:
    loudness = Loudness(HOP, RATE_HZ)
    quiet, loud = np.full(HOP, 100, np.int16), np.full(HOP, 100, np.int16)
    quiet[::2] = -100
    loud[::2], loud[1::2] = -3200, 3200
    assert level_of(loud) - level_of(quiet) == pytest.approx(10 * 256, abs=30)  # 30 dB
    assert loudness.see(quiet, False) == 0
    assert loudness.see(loud, False) > 9 * 256
    assert level_of(np.full(HOP, 9000, np.int16)) == level_of(np.zeros(HOP, np.int16)), (
        "what is constant is no sound"
    )

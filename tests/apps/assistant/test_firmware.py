"""The assistant in C decides what it decides in Python: the same program, run on this computer."""

from __future__ import annotations

import json
import subprocess
import sys
from ctypes import CDLL, c_void_p
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pintsize.apps.assistant.digits import Digits
from pintsize.apps.assistant.firmware import Firmware, building, firmware
from pintsize.apps.assistant.firmware.building import figures_of, programs_of
from pintsize.apps.assistant.firmware.parameters import hops
from pintsize.apps.assistant.listening import Listening
from pintsize.apps.assistant.loudness import Loudness, hops_followed, level_of
from pintsize.apps.assistant.orders.orders import Menu, Orders
from pintsize.apps.assistant.phrases.classifier import Classifier
from pintsize.apps.assistant.phrases.window import window_of
from pintsize.apps.assistant.pieces import Pieces, WakePiece
from pintsize.apps.chances import CHANCE_BITS, Chances
from pintsize.errors import DataError, DoesNotFit, UserError
from pintsize.stream.artifact import load
from pintsize.stream.block import Block
from pintsize.stream.decision import Calibration
from pintsize.stream.decision.stage import passed
from pintsize.stream.health import Monitor
from pintsize.stream.manifest import Interface
from tests.apps.assistant.in_c import assert_same, compiled, in_python, told_by
from tests.apps.assistant.tones import (
    HOP,
    MENU,
    RATE_HZ,
    ToneWords,
    digits_artifact,
    orders_artifact,
    room,
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
    return compiled(written, tmp_path_factory.mktemp("c"))


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
    samples = said(1.0, "computer", 0.4, *["order", 0.1] * 20, 2.0, "lamp", 1.0)
    wanted = in_python(samples, heard_by)
    assert_same(told_by(program, samples), wanted)
    assert "timeout" in [d["reason"] for d in told_by(program, samples) if d["value"] is None]


@pytest.mark.parametrize("seed", range(6))
def test_a_noisy_room_is_the_same_in_both(seed: int, program: Path, heard_by: Pieces) -> None:
    """Noise that comes and goes: what it does to phrases is the same, and none runs into the timeout for it."""
    samples = drawn_session(seed)
    drawn = np.random.default_rng(seed + 100)
    for _ in range(3):
        first = int(drawn.integers(0, len(samples) // 2))
        length = int(drawn.integers(RATE_HZ, 6 * RATE_HZ))
        part = samples[first : first + length]
        part += room(len(part) / RATE_HZ, seed, int(drawn.integers(100, 1500)))[: len(part)]
    wanted = in_python(samples, heard_by)
    assert_same(told_by(program, samples), wanted)
    assert not any("timeout" in str(d.get("reason")) for d in wanted)


def test_a_flat_line_and_clipping_are_told_in_both(program: Path, heard_by: Pieces) -> None:
    """Within a phrase, while one is waited for, and while nobody speaks."""
    flat = np.zeros(2 * RATE_HZ, np.int16)
    loud = np.clip(said("computer", "computer").astype(np.int32) * 40, -32768, 32767).astype(np.int16)
    samples = np.concatenate([
        said(0.5, "computer", 0.5, "order"), loud, said(1.5, "lamp", 0.5), flat, said(1.0), flat + np.int16(900),
        said(0.5, "lamp", 0.5, "order", 1.5),
    ])  # fmt: skip
    samples = samples[: len(samples) // HOP * HOP]
    wanted = in_python(samples, heard_by, HOP)
    assert [(d["kind"], d["value"]) for d in wanted] == [
        ("detected", "computer"), ("health", None), ("lost", None), ("health", "ok"),
        ("detected", "lamp"), ("health", None), ("lost", None), ("health", "ok"),
        ("health", None), ("health", "ok"), ("detected", "lamp"), ("digit", "nine"),
    ]  # fmt: skip
    found = told_by(program, samples)
    assert_same(found, wanted)
    reasons = [d["reason"] for d in found if d["kind"] == "health" and d["value"] is None]
    assert reasons == ["clipped", "flat line", "stuck"]


@pytest.mark.parametrize("seed", range(4))
def test_health_is_judged_hop_for_hop_as_a_run_judges_it(seed: int, program: Path) -> None:
    """Lines and limits of any length, at any place."""
    drawn = np.random.default_rng(seed)
    parts: list[NDArray[np.int16]] = []
    for _ in range(30):
        length = int(drawn.choice([1, 2, 3, 50, 400, 3000, 17_000, 40_000]))
        value = int(drawn.choice([0, 327, -328, 32_767, 32_735, 32_734, -32_768, -32_736, -32_735]))
        parts += [np.full(length, value, np.int16), room(float(drawn.uniform(0.001, 0.4)), seed)]
    samples = np.concatenate(parts)
    hops_of = samples[: len(samples) // HOP * HOP].reshape(-1, HOP)
    monitor = Monitor(RATE_HZ, 32_768.0, (-32_768.0, 32_767.0))
    judged = [
        monitor.see(Block(hop[:, None], index * HOP / RATE_HZ, RATE_HZ, 0.0, index))
        for index, hop in enumerate(hops_of)
    ]
    library = library_of(program.parent, "health.c")
    library.health_reset()
    found = [library.health_see(hop.ctypes.data_as(c_void_p)) & 0xFF for hop in hops_of]
    codes = {"flat": 1, "stuck": 2, "clip": 4}
    assert found == [sum(codes[fault] for fault in health.faults) for health in judged]
    assert set(found) > {0, 4}


def test_what_it_takes_is_told(written: Firmware) -> None:
    found = figures_of(written, "stm32h7a3", HOP)
    assert found["flash_bytes"] == sum(
        found[f"{part}_flash_bytes"] for part in ("wake", "digits", "orders", "decisions")
    )
    assert 0 < found["decisions_flash_bytes"] < 13_000
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
    library = library_of(program.parent, "window.c")
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


def library_of(folder: Path, source: str) -> CDLL:
    """One file of the program, to be called from here."""
    made = source.replace(".c", ".so")
    command = [sys.executable, "-m", "ziglang", "cc", "-O1", "-shared", "-fPIC", source, "-lm", "-o", made]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return CDLL(str(folder / made))


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
    many = np.stack([output.dequantize(codes), output.dequantize(codes[::-1])])
    np.testing.assert_array_equal(Chances(output, calibration).of_many(many), [found, found[::-1]])


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


def test_what_has_no_dip_for_long_becomes_the_room() -> None:
    loudness = Loudness(HOP, RATE_HZ)
    quiet, loud = (np.tile(np.array([level, -level], np.int16), HOP // 2) for level in (100, 3200))
    for _ in range(100):
        loudness.see(quiet, False)
    assert loudness.see(loud, False) > 9 * 256
    scores = [loudness.see(loud, True) for _ in range(hops_followed(HOP, RATE_HZ))]
    assert all(score > 9 * 256 for score in scores[:-2]), "before 1.5 s it may be speech"
    assert scores[-1] == 0
    assert loudness.loudest == 0, "all of it was the room"
    assert loudness.see(quiet, True) == 0, "a dip is the room again"
    assert loudness.see(loud, True) > 9 * 256

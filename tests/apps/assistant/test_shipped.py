"""The assistant as it is shipped: its weights load, hear real speech where the data is there, and nothing leaves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from pintsize.apps.assistant.pieces import RATE_HZ, SHIPPED, Pieces, load_pieces, load_understanding
from pintsize.stream.privacy import no_sockets, run_without_network, why_not_isolated
from tests.apps.assistant.playing import Sound, played
from tests.apps.assistant.recordings import DIGITS, ORDERS, WAKE, recorded, session
from tests.apps.assistant.tones import room


@pytest.fixture(scope="module")
def shipped() -> Pieces:
    missing = [
        piece for piece in ("wake", "digits", "orders") if not (SHIPPED / piece / "manifest.json").is_file()
    ]
    if missing:
        pytest.skip(f"no weights of {', '.join(missing)} are in this copy")
    return load_pieces()


def test_every_piece_loads_and_its_golden_vectors_hold(shipped: Pieces) -> None:
    assert "computer" in shipped.wake.words
    assert shipped.wake.hop_samples <= 0.1 * RATE_HZ
    for piece in (shipped.wake, shipped.digits, shipped.orders):
        assert piece is not None
        figures = piece.artifact.manifest.content["figures"]
        assert figures["flash_bytes"] > 0


def test_the_figures_stay_within_what_was_asked_for(shipped: Pieces) -> None:
    flash = {
        name: piece.artifact.manifest.content["figures"]["flash_bytes"]
        for name, piece in (("wake", shipped.wake), ("digits", shipped.digits))
        if piece is not None
    }
    assert flash["wake"] <= 40_000
    assert flash["digits"] <= 32_000


def test_noise_says_nothing(shipped: Pieces) -> None:
    assert played(Sound(room(20.0, level=2000)), shipped).heard == ()


def test_words_of_all_kinds_wake_it_and_digits_are_heard(shipped: Pieces) -> None:
    """A digit that is not sure is not told; one that is told is right."""
    words = shipped.wake.words
    woken, right, wrong = 0, 0, 0
    for number in range(20):
        word, digit = words[number % len(words)], str(number % 10)
        clip = recorded(WAKE, split="val", label=word)[number // len(words)]
        spoken = recorded(DIGITS, split="val", label=digit)[number // 10]
        done = played(Sound(session(1.0, clip, 0.5, spoken, 1.5)), shipped)
        woken += word in [d.value for d in done.of("detected")]
        told = [d.value for d in done.of("digit")]
        right += told == [digit]
        wrong += bool(told) and told != [digit]
    assert woken >= 17
    assert right >= 7
    assert wrong <= 1


def test_a_spoken_order_is_told_with_slots_or_honestly_not(shipped: Pieces) -> None:
    wake = recorded(WAKE, split="val", label="computer")
    orders = recorded(ORDERS)[:6]
    done = [
        played(Sound(session(1.0, clip, 0.5, order, 1.5)), shipped)
        for clip, order in zip(wake, orders, strict=False)
    ]
    assert sum(stage.runs for one in done for stage in one.report.stages if stage.name == "orders") >= 5
    for answer in (one.heard[-1] for one in done):
        assert answer.reason if answer.value is None else answer.slots or answer.kind == "digit", answer


def test_typed_orders_become_actions() -> None:
    understanding = load_understanding()
    lights = understanding.understand("turn on the lights in the kitchen")
    assert lights.intent == "iot_hue_lighton"
    assert dict(lights.slots)["house_place"] == "kitchen"
    nonsense = understanding.understand("zxcv blorp fnord")
    assert (nonsense.intent, bool(nonsense.reason)) == (None, True)


@pytest.mark.usefixtures("shipped")
def test_the_command_needs_no_network_and_no_torch(tmp_path: Path) -> None:
    reason = why_not_isolated()
    if reason:
        pytest.skip(reason)
    wavfile.write(tmp_path / "clip.wav", RATE_HZ, room(3.0))
    blocked = "import sys; sys.modules['torch'] = None; from pintsize.cli import main; main()"
    arguments = [
        "app",
        "assistant",
        "--source",
        str(tmp_path / "clip.wav"),
        "--report",
        str(tmp_path / "report"),
    ]
    done = run_without_network([sys.executable, "-c", blocked, *arguments])
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "report").read_text())["run"]["signal_s"] == 3.0


def test_a_replay_is_the_same_twice_and_opens_no_socket(shipped: Pieces) -> None:
    sound = np.random.default_rng(0).normal(0, 3000, 10 * RATE_HZ).astype(np.int16)
    with no_sockets():
        first, second = (played(Sound(sound), shipped) for _ in range(2))
    assert first.heard == second.heard
    assert first.report.as_json(wall_clock=False) == second.report.as_json(wall_clock=False)


@pytest.mark.usefixtures("shipped")
def test_importing_what_runs_leaves_torch_out() -> None:
    program = (
        "import sys; from pintsize.apps.assistant.pieces import load_pieces, load_understanding; "
        "load_pieces(); load_understanding(); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"

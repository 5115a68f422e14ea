"""The shipped models in C hear real speech as they do in Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pintsize.apps.assistant.firmware import firmware
from pintsize.apps.assistant.firmware.building import programs_of
from pintsize.apps.assistant.pieces import RATE_HZ, SHIPPED, Pieces, load_pieces
from tests.apps.assistant.in_c import assert_same, compiled, in_python, told_by
from tests.apps.assistant.recordings import DIGITS, ORDERS, WAKE, recorded, session
from tests.apps.assistant.tones import room

#: models and a program are compiled
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def shipped() -> Pieces:
    """Without orders, whose model takes long to compile."""
    return replace(load_pieces(), orders=None)


@pytest.fixture(scope="module")
def program(shipped: Pieces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folders = {piece: SHIPPED / piece for piece in ("wake", "digits")}
    made = firmware(shipped.wake, folders, programs_of(shipped), "raspberrypi4")
    return compiled(made, tmp_path_factory.mktemp("shipped"))


def test_the_program_hears_speech_as_python_does(shipped: Pieces, program: Path) -> None:
    """Words with a digit and an order, which is none of its phrases; in every second session a noise comes up."""
    answers: list[str] = []
    for number, word in enumerate(shipped.wake.words):
        clip = recorded(WAKE, split="val", label=word)[number]
        spoken = recorded(DIGITS, split="val", label=str(number))[number], recorded(ORDERS)[number]
        samples = session(1.0, clip, 0.5, spoken[0], 1.5, clip, 0.6, spoken[1], 2.5)
        if number % 2:
            half = len(samples) // 2
            noise = room(len(samples) / RATE_HZ, number, 200)[:half]
            samples[half : half + len(noise)] += noise[: len(samples) - half]
        samples = samples[: len(samples) // shipped.wake.hop_samples * shipped.wake.hop_samples]
        wanted = in_python(samples, shipped, shipped.wake.hop_samples)
        assert_same(told_by(program, samples), wanted)
        answers += [d["kind"] for d in wanted]
    assert answers.count("detected") >= 8
    assert {"digit", "unknown"} <= set(answers)

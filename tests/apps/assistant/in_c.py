"""The assistant in C on this computer, and what it must have in common with Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pintsize.apps.assistant.firmware import Firmware
from pintsize.apps.assistant.pieces import Pieces
from pintsize.stream.decision import record
from tests.apps.assistant.playing import Sound, played
from tests.apps.assistant.tones import RATE_HZ


def compiled(made: Firmware, folder: Path) -> Path:
    """The program, without a warning."""
    for name, text in made.files.items():
        (folder / name).write_text(text)
    warnings = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    command = [sys.executable, "-m", "ziglang", "cc", *warnings, *made.sources, "-lm", "-o", "assistant"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "assistant"


def told_by(program: Path, samples: NDArray[np.int16]) -> list[dict[str, Any]]:
    done = subprocess.run([program], input=samples.tobytes(), capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


#: how far a confidence may be off: an order's is the product of probabilities of 15 bits
CLOSE = 5e-4


def in_python(
    samples: NDArray[np.int16], pieces: Pieces, block_samples: int = RATE_HZ // 10
) -> list[dict[str, Any]]:
    """As the program prints it; what an order asks of the home is the caller's there."""
    sound = Sound(samples, block_samples=block_samples)
    return [record(d) for d in played(sound, pieces).heard if d.kind != "action"]


def assert_same(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> None:
    assert [(d["kind"], d["value"]) for d in found] == [(d["kind"], d["value"]) for d in wanted]
    for c, python in zip(found, wanted, strict=True):
        assert c["time_s"] == pytest.approx(python["time_s"], abs=1e-6)
        assert c.get("start_s", 0.0) == pytest.approx(python.get("start_s", 0.0), abs=1e-6)
        assert c.get("confidence", -1.0) == pytest.approx(python.get("confidence", -1.0), abs=CLOSE)
        assert c.get("slots", {}) == python.get("slots", {})

"""In C, pictures are decided as in Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pintsize.apps.images.application import Images
from pintsize.apps.images.firmware import firmware
from pintsize.apps.images.firmware.building import decided, golden_of
from pintsize.apps.images.gate import NAMES
from pintsize.apps.images.pieces import WEIGHTS, load_piece
from pintsize.emulate.host import HostModel
from pintsize.errors import DeviceError, DoesNotFit

#: models and programs are compiled
pytestmark = pytest.mark.long

UNGRADABLE = {"xray": 2, "cells": 1}


@pytest.mark.parametrize("name", ["xray", "cells"])
def test_every_golden_picture_is_decided_the_same(name: str) -> None:
    piece = load_piece(name)
    made = firmware(piece, WEIGHTS / name, "raspberrypi4")
    pictures, wanted = golden_of(piece, 40 if name == "xray" else 10)
    with HostModel(made.files, prefix="picture", sources=made.sources) as host:
        assert (host.run(pictures).reshape(wanted.shape) == wanted).all()
    assert UNGRADABLE[name] in wanted[:, 0]


def test_without_its_gate_the_network_decides_the_same_in_c() -> None:
    """The gate would keep most drawn pictures from the network."""
    from dataclasses import replace

    from pintsize.apps.images.gate import Gate
    from pintsize.apps.images.xray import XRay

    piece = replace(XRay.load(), gate=Gate({}), most_odd=0.6, least=0.6)
    made = firmware(piece, WEIGHTS / "xray", "raspberrypi4")
    random = np.random.default_rng(1)
    plain = random.integers(0, 256, (300, 28, 28, 3)).astype(np.uint8)
    slopes = np.linspace(0, 255, 28)[None, :, None, None] * random.random((300, 1, 28, 3))
    pictures = np.concatenate([plain, slopes.astype(np.uint8)])
    wanted = np.stack([decided(piece, p) for p in pictures])
    with HostModel(made.files, prefix="picture", sources=made.sources) as host:
        found = host.run(pictures.reshape(len(pictures), -1).view(np.int8))
    assert (found.reshape(wanted.shape) == wanted).all()
    assert (wanted[:, 2] < 2 * len(NAMES) + 4).all()


def test_the_example_prints_decisions(tmp_path: Path) -> None:
    figures = Images().build("stm32l4r5", tmp_path / "c")
    assert figures["flash_bytes"] <= 40_000
    made = {p.name: p.read_text() for p in (tmp_path / "c").glob("*.[ch]")}
    sources = sorted(name for name in made if name.endswith(".c"))
    command = [
        "python",
        "-m",
        "ziglang",
        "cc",
        "-std=c99",
        "-O1",
        "-Wall",
        "-Wextra",
        "-Werror",
        *sources,
        "-o",
        "picture",
    ]
    subprocess.run([sys.executable, *command[1:]], cwd=tmp_path / "c", check=True, capture_output=True)
    dark = np.zeros((28, 28, 3), np.uint8)
    told = subprocess.run(
        [tmp_path / "c" / "picture"], input=dark.tobytes(), check=True, capture_output=True
    ).stdout
    assert json.loads(told) == {"kind": "ungradable", "reason": "it is too dark"}


def test_devices_that_are_unknown_or_too_small_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DeviceError):
        Images().build("abacus", tmp_path / "c")
    with pytest.raises(DoesNotFit):
        Images("cells").build("nrf52840", tmp_path / "c")

"""Writes the ECG's C for a device: pure functions that give files.

What it decides is what `monitoring.py` decides, step for step: everything from the samples on is integers in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files as package_files
from math import ceil, gcd
from pathlib import Path
from typing import Any

from pintsize import Graph, compile_model, frontend
from pintsize.apps.application import Said, nobody
from pintsize.apps.c_folder import Firmware, makefile
from pintsize.apps.ecg.beats import BeatModel
from pintsize.apps.ecg.classes import BeatClassifier
from pintsize.apps.ecg.firmware.parameters import parameters
from pintsize.apps.ecg.quality import COUNTS_PER_MV, RATE_HZ
from pintsize.apps.ecg.units import LEAST_RATE_HZ
from pintsize.errors import UserError
from pintsize.stream.convert import INT16_FULL_SCALE

#: written by hand, the same for every device
SOURCES = (
    "ecg.c", "ecg.h", "finder.c", "finder.h", "gate.c", "gate.h", "naming.c", "naming.h", "rhythm.c", "rhythm.h",
    "triage.c", "triage.h", "main.c",
)  # fmt: skip
#: of a computer alone: what prints
PRINTING = ("main.c", "texts.c")
#: taps of the resampling filter at 180 Hz, outputs of a step at least, rates up to
TAPS, LEAST_OUTPUTS, LARGEST_RATE_HZ = 32, 18, 2000


@dataclass(frozen=True)
class Resampling:
    """raw samples in, outputs at 180 Hz out, a step; graph: of a window, to be run in such steps."""

    raw: int
    outputs: int
    graph: Graph


def resampling(rate_hz: int) -> Resampling | None:
    """How raw samples at rate_hz become those of 180 Hz; None where they are. Raises UserError for other rates."""
    if rate_hz == RATE_HZ:
        return None
    common = gcd(rate_hz, RATE_HZ)
    up, down = RATE_HZ // common, rate_hz // common
    if not LEAST_RATE_HZ <= rate_hz <= LARGEST_RATE_HZ or max(up, down) > RATE_HZ:
        raise UserError(
            f"--rate-hz {rate_hz}: from {LEAST_RATE_HZ:g} to {LARGEST_RATE_HZ} Hz, with a common divisor with "
            f"{RATE_HZ}, such as 125, 128, 200, 250, 256, 300, 360, 500 or 1000"
        )
    times = max(1, ceil(LEAST_OUTPUTS / up))
    raw = down * times
    taps = ceil(TAPS * max(1.0, rate_hz / RATE_HZ))
    window = raw * (ceil(taps / raw) + 3)
    graph = frontend.resample(rate_hz, RATE_HZ, (window,), TAPS, INT16_FULL_SCALE / COUNTS_PER_MV)
    return Resampling(raw, up * times, graph)


def firmware(
    beats: BeatModel,
    classes: BeatClassifier,
    folders: Mapping[str, Path],
    device: str,
    said: Said = nobody,
    rate_hz: int = RATE_HZ,
) -> Firmware:
    """The ECG's C. folders: piece → its artifact, which is proven on the device's emulated core.

    Raises UserError for a model or a rate that C does not have, DoesNotFit where a piece is too large for the device.
    """
    converted = resampling(rate_hz)
    raw = beats.hop_samples if converted is None else converted.raw
    files = {**_by_hand(), **parameters(beats.rule, classes, beats.hop_samples, raw, rate_hz)}
    taken: dict[str, Mapping[str, Any]] = {}
    for piece in ("beats", "classes"):
        said(f"{piece} for {device}")
        compiled = compile_model(folders[piece], device)
        files |= compiled.named(piece)
        taken[piece] = compiled.metrics()
    if converted is not None:
        said(f"resampling for {device}")
        compiled = compile_model(converted.graph, device, stream=converted.raw)
        files |= compiled.named("resample")
        taken["resample"] = compiled.metrics()
    files["Makefile"] = makefile(
        "ecg",
        files,
        f"raw int16 samples at {rate_hz} Hz, 5 uV a count,",
        "main.c and texts.c",
    )
    return Firmware(files, taken, PRINTING)


def _by_hand() -> dict[str, str]:
    home = package_files("pintsize.apps.ecg.firmware").joinpath("c")
    return {name: home.joinpath(name).read_text(encoding="utf-8") for name in SOURCES}

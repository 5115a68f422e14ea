"""Writes the assistant's C for a device: pure functions that give files.

What it decides is what `listening.py` decides, hop for hop: the softmax, the levels and the times are integers in both,
and means of probabilities are one exact sum and one division.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

from pintsize import compile_model
from pintsize.apps.application import Said, nobody
from pintsize.apps.assistant.firmware.parameters import (
    Parameters,
    health_parameters,
    listening_parameters,
    wake_parameters,
)
from pintsize.apps.assistant.firmware.phrases import PhraseProgram, phrase_parameters
from pintsize.apps.assistant.listening import Listening
from pintsize.apps.assistant.pieces import WakePiece
from pintsize.apps.c_folder import Firmware, makefile

#: written by hand, the same for every assistant
SOURCES = (
    "assistant.c", "assistant.h", "health.c", "health.h", "listen.c", "listen.h", "read.c",
    "read.h", "window.c", "window.h", "main.c",
)  # fmt: skip


def firmware(
    wake: WakePiece,
    folders: Mapping[str, Path],
    phrases: tuple[PhraseProgram, ...],
    device: str,
    rule: Listening | None = None,
    said: Said = nobody,
) -> Firmware:
    """The assistant's C. folders: piece → its artifact, which is proven on the device's emulated core.

    Raises UserError for a rule or a model that C does not have, DoesNotFit where a piece is too large for the device.
    """
    hop = wake.hop_samples
    defines = {**listening_parameters(rule or Listening(), hop), **health_parameters(hop)}
    parameters = phrase_parameters(_joined(wake_parameters(wake), defines), phrases)
    files = {**_by_hand(), **parameters.files()}
    for phrase in phrases:
        files |= phrase.files
    if not phrases:  # whose windows it makes
        files = {name: text for name, text in files.items() if not name.startswith("window.")}
    taken: dict[str, Mapping[str, Any]] = {}
    for piece in ("wake", *(phrase.piece for phrase in phrases)):
        said(f"{piece} for {device}")
        compiled = compile_model(folders[piece], device)
        files |= compiled.named(piece)
        taken[piece] = compiled.metrics()
    files["Makefile"] = makefile(
        "assistant",
        files,
        "raw int16 samples at 16 kHz",
        libraries=" -lm",
    )
    return Firmware(files, taken)


def _joined(parameters: Parameters, defines: Mapping[str, str]) -> Parameters:
    return replace(parameters, defines={**parameters.defines, **defines})


def _by_hand() -> dict[str, str]:
    home = package_files("pintsize.apps.assistant.firmware").joinpath("c")
    return {name: home.joinpath(name).read_text(encoding="utf-8") for name in SOURCES}

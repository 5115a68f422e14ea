"""The metrics of all pieces in one table, each measured by its own evaluation on its shipped integers."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from pintsize import DEVICES
from pintsize.apps.application import Said, nobody, require_folder
from pintsize.apps.assistant.pieces import PIECES, RATE_HZ, SHIPPED
from pintsize.errors import DataError
from pintsize.stream.manifest import Manifest, read_manifest


def evaluate(data: Path, said: Said = nobody) -> dict[str, float]:
    """data: the folder that holds the data sets. What a piece's data is not there for is told and left out.

    Raises DataError where no piece could be evaluated.
    """
    require_folder(data, "the data sets lie in it, each in a folder of its own")
    found: dict[str, float] = {}
    for piece in PIECES:
        said(f"{piece} …")
        try:
            found |= import_module(f"pintsize.apps.assistant.{piece}.evaluation").evaluate(data)
        except DataError as error:
            said(f"{piece} is left out: {error}")
    if not found:
        raise DataError(f"{data} has none of the data sets that the assistant is evaluated on")
    return found | wake_word_load(read_manifest(SHIPPED / "wake"))


def wake_word_load(manifest: Manifest) -> dict[str, float]:
    """Which share of a core the wake word takes, all the time; estimated, from what the shipping step counted.

    Of a Cortex-M4 at 120 MHz by the core's cycle table; of a Raspberry Pi 4's core at 1.5 GHz as if each instruction
    counted on the Cortex-M4 took a cycle there, which is more than it does.
    """
    figures = manifest.content.get("figures", {})
    hop_s = manifest.input.elements / RATE_HZ
    latency_ms, instructions = figures.get("latency_ms"), figures.get("instructions")
    found: dict[str, float] = {}
    if latency_ms is not None:
        found["wake_word_share_of_cortex_m4"] = latency_ms / (1e3 * hop_s)
    if instructions is not None:
        found["wake_word_share_of_raspberrypi4_core"] = (
            instructions / hop_s / DEVICES["raspberrypi4"].clock_hz
        )
    return found

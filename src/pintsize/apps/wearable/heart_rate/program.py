"""The heart rate as C for a device: the band-pass that pintsize writes, and the rule for beats behind it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from importlib.resources import files as package_files
from pathlib import Path
from string import Template
from typing import Any

from pintsize import DEVICES, Graph, compile_model
from pintsize.apps.wearable.heart_rate import kinds
from pintsize.apps.wearable.heart_rate.kinds import Kind
from pintsize.apps.wearable.heart_rate.rates import REASONS
from pintsize.emulate import build, core

#: as shipped, at 120 MHz
FLASH_DEVICE = "stm32l4r5"
_SHARED = ("FINE", "WINDOW_S", "LEAST_SPAN_S", "LOWEST_BPM", "HIGHEST_BPM", "RAIL", "LONGEST")


@dataclass(frozen=True)
class RateProgram:
    """files: name → C; sources: those to compile; name: what its functions begin with (`<name>_run`)."""

    name: str
    files: dict[str, str]
    sources: tuple[str, ...]
    band: dict[str, Any]


def rate_program(kind: Kind, band: Graph | Path, device: str = FLASH_DEVICE) -> RateProgram:
    """The program for one kind of signal. band: its filter, a Graph of a second or the shipped folder.

    Raises DoesNotFit where it is too large for the device, VerificationError where an integer differs on its core.
    """
    name = f"heart_rate_{kind.name}"
    if isinstance(band, Graph):
        compiled = compile_model(band, device, stream=kind.rate_hz, carry=True)
    else:
        compiled = compile_model(band, device)
    files = {**compiled.named(f"{name}_band"), **_rule(kind, name)}
    return RateProgram(name, files, tuple(sorted(n for n in files if n.endswith(".c"))), compiled.metrics())


def taken(program: RateProgram, device: str = FLASH_DEVICE, optimize: str = "-Os") -> dict[str, Any]:
    """What filter and rule take together on a microcontroller, linked for its core, compiled for size."""
    target = core(DEVICES[device].core)
    linked = build(program.files, target, program.name, optimize, program.sources)
    return {"rate_flash_bytes": linked.flash_bytes, "rate_ram_bytes": linked.ram_bytes}


def _rule(kind: Kind, name: str) -> dict[str, str]:
    values = {field.name.upper(): getattr(kind, field.name) for field in fields(kind)}
    values |= {"SETTLE": kind.settle, "LEARN": kind.learn, "SQUARED": int(kind.squared)}
    values |= {constant: getattr(kinds, constant) for constant in _SHARED}
    values |= {
        "NAME": name.upper(),
        "name": name,
        "title": f"a {kind.title}",
        "INPUT_BYTES": 2 * kind.rate_hz,
    }
    values["reasons"] = "\n".join(f"     {code}  {reason}" for code, reason in enumerate(REASONS) if reason)
    home = package_files("pintsize.apps.wearable.heart_rate").joinpath("c")
    return {
        f"{name}.{end}": Template(home.joinpath(f"heart_rate.{end}").read_text(encoding="utf-8")).substitute(
            values
        )
        for end in ("c", "h")
    }

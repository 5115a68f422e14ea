"""What the folders of C that applications write have in common: Makefile, manifest, sizes, whether it fits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Template
from typing import Any

from pintsize import DEVICES
from pintsize import __version__ as version
from pintsize.apps.application import Metrics
from pintsize.emulate import CORES, object_sections
from pintsize.errors import DoesNotFit

MAKEFILE = Template("""\
# make: for this computer; it reads $reads from standard input.
# For a board: CC, CFLAGS and LDFLAGS of its toolchain, and your own main in place of $example.
CC ?= cc
CFLAGS ?= -std=c99 -O2 -Wall -Wextra -Wpedantic -ffunction-sections -fdata-sections

$program: $sources
\t$$(CC) $$(CFLAGS) $sources -o $$@ $$(LDFLAGS)$libraries

clean:
\trm -f $program

.PHONY: clean
""")


@dataclass(frozen=True)
class Firmware:
    """files: name → text; taken: piece → what its program takes on the device, as `Compiled.metrics` has it
    printing: the files that are of a computer alone
    """

    files: Mapping[str, str]
    taken: Mapping[str, Mapping[str, Any]]
    printing: tuple[str, ...] = ("main.c",)

    @property
    def sources(self) -> list[str]:
        return sorted(name for name in self.files if name.endswith(".c"))

    @property
    def decision_sources(self) -> list[str]:
        """Without the models, and without what prints: what joins them."""
        models = {f"{piece}{end}" for piece in self.taken for end in (".c", "_weights.c")}
        return [name for name in self.sources if name not in models and name not in self.printing]


def makefile(
    program: str, files: Iterable[str], reads: str, example: str = "main.c", libraries: str = ""
) -> str:
    """Builds all C files for this computer. example: what a board replaces."""
    sources = " ".join(sorted(name for name in files if name.endswith(".c")))
    return MAKEFILE.substitute(
        program=program, sources=sources, reads=reads, example=example, libraries=libraries
    )


def manifest(name: str, device: str, figures: Metrics, files: Mapping[str, bytes]) -> bytes:
    """manifest.json: what it takes on the device, and every file's hash."""
    document = {
        "format": 1,
        "name": name,
        "pintsize_version": version,
        "device": device,
        "figures": dict(figures),
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    }
    return (json.dumps(document, indent=1) + "\n").encode()


def rows(figures: Metrics) -> str:
    """The figures as rows of a Markdown table."""
    return "\n".join(f"| {name} | {value:,.6g} |" for name, value in figures.items())


def section_sizes(
    files: Mapping[str, str], device: str, sources: Iterable[str], optimize: str = "-O2"
) -> tuple[float, float] | None:
    """(flash, RAM) in bytes of these C files compiled for the device; None where its core cannot be compiled for."""
    target = CORES.get(DEVICES[device].core) if device in DEVICES else None
    if target is None or not target.is_firmware:
        return None
    flash = ram = 0
    for source in sources:
        for name, size in object_sections(files, target, source.removesuffix(".c"), optimize).items():
            ram += size if name.startswith((".bss", ".data")) else 0
            flash += 0 if name.startswith(".bss") else size
    return float(flash), float(ram)


def require_room(what: str, figures: Metrics, device: str) -> None:
    """Raises DoesNotFit where flash_bytes or ram_bytes are more than the device has: parts fit that do not together."""
    target = DEVICES.get(device)
    if target is None or (
        figures["flash_bytes"] <= target.flash_bytes and figures["ram_bytes"] <= target.ram_bytes
    ):
        return
    raise DoesNotFit(
        f"{what} does not fit {target.title}: it needs {figures['flash_bytes']:,.0f} B of flash and "
        f"{figures['ram_bytes']:,.0f} B of RAM; {target.flash_bytes:,} B and {target.ram_bytes:,} B are there"
    )

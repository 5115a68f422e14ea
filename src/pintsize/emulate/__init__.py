"""Runs what was written, on cores that are not on the desk, and counts what it did.

``build`` compiles and links for a bare-metal core, ``run`` does everything for one core by name;
``HostModel`` runs on this computer, quickly.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pintsize.emulate import cortex_m, qemu, wasm
from pintsize.emulate.build import Program, build, compile_check, object_sections
from pintsize.emulate.cores import CORES, Core, core
from pintsize.emulate.execution import Execution
from pintsize.emulate.host import HostModel
from pintsize.emulate.toolchain import is_installed

__all__ = [
    "CORES",
    "Core",
    "Execution",
    "HostModel",
    "Program",
    "build",
    "can_run",
    "compile_check",
    "core",
    "execute",
    "object_sections",
    "run",
]


def can_run(core_name: str) -> str | None:
    """None when programs for this core can run here, else the reason in words.

    Raises DeviceError when there is no such core.
    """
    wanted = core(core_name)
    absent = [package for package in _packages(wanted) if not is_installed(package)]
    if absent:
        return f"not installed: {', '.join(absent)}"
    return qemu.why_not(wanted) if wanted.is_firmware and not wanted.unicorn_cpu else None


def _packages(wanted: Core) -> tuple[str, ...]:
    if wanted.isa == "host":
        return ("ziglang",)
    if wanted.isa == "wasm32":
        return ("ziglang", "wasmtime")
    return ("ziglang", "capstone", "pyelftools", *(("unicorn",) if wanted.unicorn_cpu else ()))


def execute(program: Program, inputs: np.ndarray, count: bool = True, restart_every: int = 0) -> Execution:
    """Runs a linked program on Unicorn where that has the core, else on QEMU; restart_every: see `run`."""
    runner = cortex_m if program.core.unicorn_cpu else qemu
    return runner.run(program, inputs, count, restart_every)


def run(
    files: Mapping[str, str],
    core_name: str,
    inputs: np.ndarray,
    count: bool = True,
    prefix: str = "model",
    optimize: str = "-O2",
    restart_every: int = 0,
) -> tuple[Program | None, Execution]:
    """Compiles for a core and runs `inputs`, int8 (n, input bytes), there in order, after one init.

    restart_every: the model's init again before every so many inputs, for one that remembers what came before.
    The program is None on the host and in WebAssembly, which have no flash and RAM to speak of, and nothing
    is counted there. Raises DeviceError when there is no such core, ToolError or MissingExtra when it cannot
    be compiled or run here.
    """
    wanted = core(core_name)
    if wanted.isa == "host":
        with HostModel(files, prefix=prefix, optimize=optimize) as model:
            return None, Execution(model.run(inputs, restart_every))
    if wanted.isa == "wasm32":
        return None, wasm.run(wasm.build(files, prefix, optimize), inputs, prefix, restart_every)
    program = build(files, wanted, prefix, optimize)
    return program, execute(program, inputs, count, restart_every)

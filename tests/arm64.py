"""Runs a written program on an AArch64 core that Unicorn emulates, for tests of its kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pintsize.emulate.build import model_sources
from pintsize.emulate.elf import segments_of, symbols_of
from pintsize.emulate.toolchain import compiler_command, invoke, is_installed, source_folder

ORIGIN, RAM, STOP = 0x10000, 0x10000000, 0x20000000
RAM_BYTES = 1 << 24
NEEDED = ("ziglang", "unicorn", "pyelftools")


def why_not() -> str | None:
    """None when such programs can run here, else the reason."""
    absent = [package for package in NEEDED if not is_installed(package)]
    return f"not installed: {', '.join(absent)}" if absent else None


def compile_for(
    cpu: str, files: Mapping[str, str], sources: Sequence[str] | None = None, optimize: str = "-O2"
) -> bytes:
    """An ELF file; cpu: the compiler's name, such as ``cortex_a53`` or, with the dot product, ``cortex_a76``."""
    target = ["-target", "aarch64-freestanding-none", f"-mcpu={cpu}", "-fhosted", "-isystem", "system"]
    link = ["-static", f"-Wl,--image-base={ORIGIN:#x}", "-Wl,--entry=model_run"]
    names = sources or model_sources(files, "model")
    command = [*compiler_command(), *target, "-std=c99", optimize, "-I.", *link, *names, "-o", "model.elf"]
    with source_folder(files) as folder:
        invoke(command, folder, f"compiling for {cpu}")
        return (folder / "model.elf").read_bytes()


def run(elf: bytes, codes: np.ndarray, output_bytes: int) -> np.ndarray:
    """Outputs, int8 (n, output bytes), of inputs, int8 (n, input bytes)."""
    import unicorn
    from unicorn import arm64_const as arm

    machine = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
    machine.ctl_set_cpu_model(arm.UC_CPU_ARM64_MAX)
    machine.mem_map(0, 1 << 24)
    machine.mem_map(RAM, RAM_BYTES)
    machine.mem_map(STOP, 0x1000)
    for address, content in segments_of(elf):
        machine.mem_write(address, content)
    machine.reg_write(arm.UC_ARM64_REG_CPACR_EL1, 3 << 20)  # or vector instructions trap
    rows = []
    for row in codes:
        machine.mem_write(RAM, row.tobytes())
        target = RAM + RAM_BYTES // 2
        registers = {"X0": RAM, "X1": target, "SP": RAM + RAM_BYTES - 64, "LR": STOP}
        for name, value in registers.items():
            machine.reg_write(getattr(arm, f"UC_ARM64_REG_{name}"), value)
        machine.emu_start(symbols_of(elf)["model_run"].address, STOP)
        rows.append(np.frombuffer(bytes(machine.mem_read(target, output_bytes)), np.int8))
    return np.stack(rows)

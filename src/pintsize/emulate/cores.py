"""The cores that pintsize can compile for, and where their programs live in memory.

Addresses and sizes are those of the QEMU machine that has the core, so that one linker script serves
both emulators; a core without such a machine borrows the map of its nearest relative.
Sources: Arm's MPS2 and MPS3 application notes (AN385, AN386, AN500, AN505, AN547) and QEMU's
documentation of the mps2, mps3 and riscv ``virt`` boards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from pintsize.errors import DeviceError

Isa = Literal["thumb", "riscv32", "wasm32", "host"]


@dataclass(frozen=True)
class Core:
    """A processor core: how to compile for it and what can run it here.

    ``zig_target`` and ``zig_cpu`` are the compiler's names. ``unicorn_cpu`` is the name of a constant
    of ``unicorn.arm_const``; ``qemu_machine`` names a board that carries the core. Sizes are bytes.
    """

    name: str
    isa: Isa
    zig_target: str | None = None
    zig_cpu: str | None = None
    unicorn_cpu: str | None = None
    qemu_system: str | None = None
    qemu_machine: str | None = None
    flash_origin: int = 0
    flash_bytes: int = 4 << 20
    ram_origin: int = 0x2000_0000
    ram_bytes: int = 4 << 20

    @property
    def is_firmware(self) -> bool:
        """Whether a program for it is a bare-metal image with flash and RAM."""
        return self.isa in ("thumb", "riscv32")


def _cortex_m(
    name: str,
    zig_cpu: str,
    unicorn_cpu: str | None = None,
    qemu_machine: str | None = None,
    abi: str = "eabi",
    **memory: int,
) -> Core:
    return Core(
        name=name,
        isa="thumb",
        zig_target=f"thumb-freestanding-{abi}",
        zig_cpu=zig_cpu,
        unicorn_cpu=unicorn_cpu,
        qemu_system="qemu-system-arm" if qemu_machine else None,
        qemu_machine=qemu_machine,
        **memory,
    )


_LISTED = (
    _cortex_m("cortex-m0", "cortex_m0", "UC_CPU_ARM_CORTEX_M0"),
    _cortex_m("cortex-m0plus", "cortex_m0plus", "UC_CPU_ARM_CORTEX_M0"),
    _cortex_m("cortex-m3", "cortex_m3", "UC_CPU_ARM_CORTEX_M3", "mps2-an385"),
    _cortex_m("cortex-m4", "cortex_m4", "UC_CPU_ARM_CORTEX_M4", "mps2-an386"),
    _cortex_m("cortex-m7", "cortex_m7", "UC_CPU_ARM_CORTEX_M7", "mps2-an500"),
    # the compiler's cortex_m33 leaves out the DSP extension, which every part in our table has
    _cortex_m(
        "cortex-m33",
        "cortex_m33+dsp",
        "UC_CPU_ARM_CORTEX_M33",
        "mps2-an505",
        flash_origin=0x1000_0000,
        ram_origin=0x3800_0000,
    ),
    # Helium needs the FPU's registers, hence the hard-float ABI; still no float is computed
    _cortex_m(
        "cortex-m55",
        "cortex_m55+mve_fp+fp_armv8d16sp",
        None,
        "mps3-an547",
        abi="eabihf",
        flash_origin=0x1000_0000,
        flash_bytes=512 << 10,
        ram_origin=0x3100_0000,
        ram_bytes=2 << 20,
    ),
    Core(
        name="riscv32",
        isa="riscv32",
        zig_target="riscv32-freestanding-none",
        zig_cpu="generic_rv32+m+c",
        qemu_system="qemu-system-riscv32",
        qemu_machine="virt",
        flash_origin=0x8000_0000,
        ram_origin=0x8100_0000,
    ),
    Core(name="wasm32", isa="wasm32", zig_target="wasm32-freestanding"),
    Core(name="host", isa="host"),
)

CORES: Mapping[str, Core] = {core.name: core for core in _LISTED}


def core(name: str) -> Core:
    """The core called `name`. Raises DeviceError, with the nearest names, when there is none."""
    if name in CORES:
        return CORES[name]
    near = get_close_matches(name.lower(), CORES, n=3, cutoff=0.5) or list(CORES)
    raise DeviceError(f"there is no core {name!r} here. Nearest: {', '.join(near)}")

"""Estimated cycles from counted instructions: what the core's reference manual says each kind takes.

Sources: Arm Technical Reference Manuals, "Instruction set summary" with timing, of Cortex-M0 (DDI 0432),
M0+ (DDI 0484), M3 (DDI 0337) and M4 (DDI 0439). For Cortex-M7, M33, M55 and the RISC-V core the vendors publish no
such table: there the numbers of the nearest core stand in. Where the device's flash is known
and has no cache for instructions, each taken branch waits for it. Left out: waits for constants in flash, misses of an
instruction cache, the bus, dual issue (M7). No estimate was compared with a board.

The band for M4 and M0+ is a judgement: published MLPerf Tiny times of microTVM with CMSIS-NN on a Cortex-M4, divided by
the instructions counted for TFLite Micro with CMSIS-NN, are 1.50 to 1.77 cycles per instruction; this table gives our
programs 1.43 to 1.46. `benchmarks/mcu.py` prints estimates beside published times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pintsize.devices import Flash


@dataclass(frozen=True)
class CycleTable:
    """Cycles by kind of instruction; a taken branch costs `taken_branch` more than one not taken."""

    load: float
    store: float
    pair: float
    several: float
    multiply: float
    long_multiply: float
    divide: float
    taken_branch: float
    error: str


_STATED = "within -10 % to +30 % by published runs of other engines; error not measured"
_BORROWED = "table borrowed from the nearest core, error not measured"

TABLES: dict[str, CycleTable] = {
    "cortex-m0": CycleTable(2, 2, 4, 6, 1, 1, 1, 2, _STATED),
    "cortex-m0plus": CycleTable(2, 2, 4, 6, 1, 1, 1, 1, _STATED),
    "cortex-m3": CycleTable(1.5, 1, 3, 6, 1.5, 4, 7, 2, _STATED),
    "cortex-m4": CycleTable(1.5, 1, 3, 6, 1, 1, 7, 2, _STATED),
    "cortex-m7": CycleTable(1, 1, 1, 4, 1, 1, 7, 1, _BORROWED),
    "cortex-m33": CycleTable(1.5, 1, 3, 6, 1, 1, 7, 2, _BORROWED),
    "cortex-m55": CycleTable(1, 1, 2, 4, 1, 1, 7, 1, _BORROWED),
    "riscv32": CycleTable(2, 1, 3, 6, 1, 1, 16, 2, _BORROWED),
}

_LONG = ("smull", "umull", "smlal", "umlal", "smmla", "smmul", "mulh")
_MULTIPLY = ("mul", "mla", "mls", "smul", "smla")
_SEVERAL = ("push", "pop", "ldm", "stm")


def estimate(
    core: str,
    mnemonics: Mapping[str, int],
    taken_branches: int,
    flash: Flash | None = None,
) -> float | None:
    """Cycles of that many instructions by mnemonic; None for a core without a table.

    flash: the device's, where it is known.
    """
    table = TABLES.get(core)
    if table is None:
        return None
    waits = 0 if flash is None or flash.instruction_cache else flash.wait_states * taken_branches
    return (
        sum(n * _cycles(table, m) for m, n in mnemonics.items()) + taken_branches * table.taken_branch + waits
    )


def _cycles(table: CycleTable, mnemonic: str) -> float:
    name = mnemonic.split(".")[0]
    if name.startswith(_SEVERAL):
        return table.several
    if name.startswith(("ldrd", "strd")):
        return table.pair
    if name.startswith(("ldr", "lw", "lh", "lb", "c.lw")):
        return table.load
    if name.startswith(("str", "sw", "sh", "sb")) and not name.startswith("sbc"):
        return table.store
    if name.startswith(_LONG):
        return table.long_multiply
    if name.startswith(_MULTIPLY):
        return table.multiply
    return table.divide if name.startswith(("sdiv", "udiv", "div")) else 1.0

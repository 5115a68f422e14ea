"""Which functions of a linked program need which: read off its code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pintsize.emulate.build import Program
from pintsize.emulate.elf import Symbol, code_reader
from pintsize.emulate.toolchain import require

if TYPE_CHECKING:
    from capstone import Cs

_NUMBER = re.compile(r"(-?0x[0-9a-f]+|-?\d+)\s*$")
_JUMPS = ("bl", "b", "b.w", "blx", "jal", "j", "c.j", "c.jal")


def callees(program: Program) -> dict[str, frozenset[str]]:
    """Function → the functions that it calls, ends in, or takes the address of.

    Raises MissingExtra without capstone.
    """
    functions = [s for s in program.symbols.values() if s.is_function and s.size_bytes]
    at = {s.address: s.name for s in functions}
    read = code_reader(program.elf)
    disassembler = _disassembler(program.core.isa == "thumb")
    return {s.name: _targets(s, read(s.address, s.size_bytes), disassembler, at) for s in functions}


def reached(start: str, calls: dict[str, frozenset[str]]) -> frozenset[str]:
    """A function and all that run because of it."""
    found, waiting = {start}, [start]
    while waiting:
        for name in calls.get(waiting.pop(), frozenset()) - found:
            found.add(name)
            waiting.append(name)
    return frozenset(found)


def _targets(function: Symbol, code: bytes, disassembler: Cs, at: dict[int, str]) -> frozenset[str]:
    """Where it jumps to, and the functions whose address it takes: as a constant, or half by half."""
    words = range((-function.address) % 4, len(code) - 3, 4)
    values = {int.from_bytes(code[i : i + 4], "little") & ~1 for i in words}
    low: dict[str, int] = {}
    offset = 0
    while offset < len(code):
        step = 2
        for address, size, mnemonic, operands in disassembler.disasm_lite(
            code[offset:], function.address + offset
        ):
            step = max(step, address + size - function.address - offset)
            number = _NUMBER.search(operands)
            if not number:
                continue
            value = int(number[1], 0)
            register = operands.partition(",")[0]
            if mnemonic in _JUMPS:
                values |= {value, value + address}  # Arm's are addresses, those of RISC-V distances
            elif mnemonic.startswith("movw"):
                low[register] = value
            elif mnemonic.startswith("movt"):
                values.add((value << 16 | low.get(register, 0)) & ~1)
        offset += step  # past what is no instruction: constants between them
    return frozenset(at[v] for v in values if v in at) - {function.name}


def _disassembler(is_thumb: bool) -> Cs:
    require("capstone")
    import capstone as cs

    if is_thumb:
        return cs.Cs(cs.CS_ARCH_ARM, cs.CS_MODE_THUMB | cs.CS_MODE_MCLASS | cs.CS_MODE_V8)
    return cs.Cs(cs.CS_ARCH_RISCV, cs.CS_MODE_RISCV32 | cs.CS_MODE_RISCVC)

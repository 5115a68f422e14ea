"""From executed blocks to instructions by layer and by mnemonic; one way for both emulators."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pintsize.emulate.cores import Core, Isa
from pintsize.emulate.elf import Symbol
from pintsize.emulate.toolchain import require
from pintsize.errors import ToolError

if TYPE_CHECKING:
    from capstone import Cs

#: owners of code as counter/tally.h numbers them; RUN is the run function, the layers follow
OUTSIDE, RUN = 1, 2
_LAYER = re.compile(r"^layer_(\d+)_\w+$")


@dataclass(frozen=True)
class Span:
    """Addresses from `start` up to `end` whose instructions are counted for `owner`."""

    start: int
    end: int
    owner: int


@dataclass(frozen=True)
class Block:
    """Instructions that lie and run one after the other, `count` times for `owner`.

    `instructions` is how many the emulator saw, None when it did not say.
    """

    address: int
    byte_count: int
    owner: int
    count: int
    instructions: int | None = None


@dataclass(frozen=True)
class Counts:
    instructions: int
    by_layer: Mapping[str, int]
    mnemonics: Mapping[str, int]
    layer_mnemonics: Mapping[str, Mapping[str, int]]


class Ownership:
    """Which function each address of a program is counted for.

    Args:
        symbols: the program's symbols.
        run_name: the run function; whatever is nobody's while it runs is counted for the last owner.
        outside: functions around the call; when one of them runs, the counted call is over.
    """

    def __init__(self, symbols: Mapping[str, Symbol], run_name: str, outside: Iterable[str] = ()) -> None:
        # a compiler may clone a function under its name and a suffix: layer_3_conv2d.specialized.1
        layers = {s.name: s.name.split(".")[0] for s in symbols.values() if s.is_function}
        layers = {name: base for name, base in layers.items() if _LAYER.match(base)}
        self.names = (run_name, *sorted(set(layers.values()), key=_layer_order))
        owner_of = {name: RUN + self.names.index(base) for name, base in layers.items()}
        owner_of |= {run_name: RUN, **dict.fromkeys(outside, OUTSIDE)}
        self.spans = tuple(
            Span(s.address, s.address + s.size_bytes, owner_of[s.name])
            for s in symbols.values()
            if s.name in owner_of
        )

    def name(self, owner: int) -> str:
        return self.names[owner - RUN]


def _layer_order(name: str) -> tuple[int, str]:
    match = _LAYER.match(name)
    return (int(match[1]) if match else -1, name)


def count_blocks(
    blocks: Iterable[Block], ownership: Ownership, core: Core, read_code: Callable[[int, int], bytes]
) -> Counts:
    """Adds up executed blocks. `read_code(address, byte count)` gives the program's code.

    Raises ToolError when the emulator saw another number of instructions in a block than lie there.
    """
    by_owner: dict[int, Counter[str]] = {RUN + i: Counter() for i in range(len(ownership.names))}
    for block in blocks:
        listed = _mnemonics(core.isa, read_code(block.address, block.byte_count))
        if block.instructions not in (None, sum(listed.values())):
            seen = f"{block.instructions} instructions, not {sum(listed.values())}"
            raise ToolError(f"the emulator saw, in the block at {block.address:#010x}, {seen}")
        for mnemonic, times in listed.items():
            by_owner[block.owner][mnemonic] += times * block.count
    mnemonics: Counter[str] = Counter()
    for counted in by_owner.values():
        mnemonics.update(counted)
    order = [*range(RUN + 1, RUN + len(ownership.names)), RUN]
    return Counts(
        instructions=mnemonics.total(),
        by_layer={ownership.name(owner): by_owner[owner].total() for owner in order},
        mnemonics=dict(mnemonics.most_common()),
        layer_mnemonics={ownership.name(owner): dict(by_owner[owner]) for owner in order},
    )


def _mnemonics(isa: Isa, code: bytes) -> Counter[str]:
    """How often each mnemonic stands in a block, suffixes of the encoding's width left out."""
    found: Counter[str] = Counter()
    offset = 0
    while offset < len(code):
        width = _width_bytes(isa, int.from_bytes(code[offset : offset + 2], "little"))
        found[_mnemonic(isa, code[offset : offset + width])] += 1
        offset += width
    return found


def _width_bytes(isa: Isa, halfword: int) -> int:
    """Bytes of the instruction that begins with `halfword`, as both instruction sets encode it."""
    if isa == "thumb":
        return 4 if halfword >> 11 in (0b11101, 0b11110, 0b11111) else 2
    return 4 if halfword & 0b11 == 0b11 else 2


@cache
def _mnemonic(isa: Isa, code: bytes) -> str:
    for _, size, mnemonic, _ in _disassembler(isa).disasm_lite(code, 0, 1):
        if size == len(code):
            return mnemonic.removesuffix(".w").removesuffix(".n")
    return "other"


@cache
def _disassembler(isa: Isa) -> Cs:
    require("capstone")
    import capstone as cs

    if isa == "thumb":
        return cs.Cs(cs.CS_ARCH_ARM, cs.CS_MODE_THUMB | cs.CS_MODE_MCLASS | cs.CS_MODE_V8)
    return cs.Cs(cs.CS_ARCH_RISCV, cs.CS_MODE_RISCV32 | cs.CS_MODE_RISCVC)

"""Runs a linked program on an emulated Cortex-M core with Unicorn, and counts what it executes."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from pintsize.emulate.block_counter import BlockCounter
from pintsize.emulate.build import Program
from pintsize.emulate.counting import Ownership, count_blocks
from pintsize.emulate.elf import place, segments_of
from pintsize.emulate.execution import Execution
from pintsize.emulate.inputs import as_rows, restarts
from pintsize.emulate.toolchain import require
from pintsize.errors import ToolError

if TYPE_CHECKING:
    from unicorn.unicorn import Uc

CALL_TIMEOUT_S = 300
_PAGE_BYTES = 4096
_PAINT = 0xC5C5_C5C5
#: calls return here: memory that no program uses
_RETURN_ADDRESS = 0x6000_0000


def run(program: Program, inputs: np.ndarray, count: bool = True, restart_every: int = 0) -> Execution:
    """Runs `inputs`, int8 (n, input bytes), in order after one init; counts the first when asked to.

    restart_every: init again before every so many.
    Raises DataError when the inputs do not fit the program, MissingExtra without Unicorn, and ToolError
    when Unicorn has no such core, or when the program faults or does not end: with the place.
    """
    rows = as_rows(inputs, program.input_bytes)
    machine = _Machine(program)
    machine.call(f"{program.prefix}_init")
    first = _counted(machine, rows[0]) if count else Execution(machine.infer(rows[0])[None])
    starts = set(restarts(len(rows), restart_every))
    rest: list[np.ndarray] = []
    for index, row in enumerate(rows[1:], 1):
        if index in starts:
            machine.call(f"{program.prefix}_init")
        rest.append(machine.infer(row)[None])
    return Execution(
        outputs=np.concatenate([first.outputs, *rest]),
        instructions=first.instructions,
        by_layer=first.by_layer,
        mnemonics=first.mnemonics,
        layer_mnemonics=first.layer_mnemonics,
        taken_branches=first.taken_branches,
        stack_bytes=first.stack_bytes,
    )


def _counted(machine: _Machine, row: np.ndarray) -> Execution:
    program = machine.program
    ownership = Ownership(program.symbols, program.run_name)
    with closing(BlockCounter(ownership.spans)) as counter:
        machine.paint_stack()
        with counter.attached(machine.engine):
            output = machine.infer(row)
        counts = count_blocks(counter.blocks(), ownership, program.core, machine.read)
        return Execution(
            outputs=output[None],
            instructions=counts.instructions,
            by_layer=counts.by_layer,
            mnemonics=counts.mnemonics,
            layer_mnemonics=counts.layer_mnemonics,
            taken_branches=counter.taken_branches + 1,  # the return itself leads out of the counted code
            stack_bytes=machine.stack_used_bytes(),
        )


class _Machine:
    """A core that has just run the program's startup code, up to its main."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.engine = _engine(program)
        self._execute(program.symbols["_start"].address, self._address("main"))

    def call(self, function: str, *arguments: int) -> None:
        """Calls a function with a fresh stack and waits for its return."""
        from unicorn.arm_const import UC_ARM_REG_LR, UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_SP

        for register, value in zip((UC_ARM_REG_R0, UC_ARM_REG_R1), arguments, strict=False):
            self.engine.reg_write(register, value)
        self.engine.reg_write(UC_ARM_REG_SP, self._address("__stack_top"))
        self.engine.reg_write(UC_ARM_REG_LR, _RETURN_ADDRESS | 1)
        self._execute(self._address(function), _RETURN_ADDRESS)

    def infer(self, row: np.ndarray) -> np.ndarray:
        """One output, int8 (output bytes,), of one input, int8 (input bytes,)."""
        source, target = self.program.io_addresses
        self.engine.mem_write(source, row.tobytes())
        self.call(self.program.run_name, source, target)
        return np.frombuffer(self.read(target, self.program.output_bytes), np.int8)

    def read(self, address: int, byte_count: int) -> bytes:
        return bytes(self.engine.mem_read(address, byte_count))

    def paint_stack(self) -> None:
        bottom, top = self._address("__stack_limit"), self._address("__stack_top")
        self.engine.mem_write(bottom, _PAINT.to_bytes(4, "little") * ((top - bottom) // 4))

    def stack_used_bytes(self) -> int:
        """From the top down to the lowest word that no longer holds the paint."""
        bottom, top = self._address("__stack_limit"), self._address("__stack_top")
        words = np.frombuffer(self.read(bottom, top - bottom), "<u4")
        written = np.flatnonzero(words != _PAINT)
        return 4 * (len(words) - int(written[0])) if len(written) else 0

    def _address(self, name: str) -> int:
        return self.program.symbols[name].address

    def _execute(self, start: int, until: int) -> None:
        from unicorn.arm_const import UC_ARM_REG_PC
        from unicorn.unicorn import UcError

        why = f"it did not end within {CALL_TIMEOUT_S} s"
        try:
            self.engine.emu_start(start | 1, until, timeout=CALL_TIMEOUT_S * 1_000_000)
        except UcError as error:
            why = str(error)
        # at the return address Unicorn itself reports an exception on M-profile cores: only the place counts
        stopped = int(self.engine.reg_read(UC_ARM_REG_PC)) & ~1
        if stopped != until:
            where = place(self.program.symbols, stopped)
            raise ToolError(f"{self.program.core.name}: the program stopped at {where}: {why}")


def _engine(program: Program) -> Uc:
    require("unicorn")
    import unicorn
    from unicorn import arm_const
    from unicorn.unicorn import Uc

    core = program.core
    if core.unicorn_cpu is None:
        raise ToolError(f"Unicorn has no {core.name}: pintsize.emulate.qemu runs it where QEMU is installed")
    engine = Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    engine.ctl_set_cpu_model(getattr(arm_const, core.unicorn_cpu))
    ram_bytes = program.symbols["__bss_end"].address - core.ram_origin
    # only what the program has: a step outside of it is a fault
    engine.mem_map(
        core.flash_origin, _pages(program.flash_bytes), unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC
    )
    engine.mem_map(core.ram_origin, _pages(ram_bytes), unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE)
    engine.mem_map(_RETURN_ADDRESS, _PAGE_BYTES)
    engine.reg_write(arm_const.UC_ARM_REG_SP, program.symbols["__stack_top"].address)
    for address, content in segments_of(program.elf):
        engine.mem_write(address, content)
    return engine


def _pages(byte_count: int) -> int:
    return -(-byte_count // _PAGE_BYTES) * _PAGE_BYTES

"""Runs a program on a QEMU board through semihosting, and counts what it executes with a plugin.

The board runs the same object files as ``build`` linked, with another main around them: one that reads the
inputs from a file and writes the outputs to one. The counted call is the same code on the same addresses of
its variables, so its counts are those of the program that was measured.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pintsize.emulate.build import Program, link_with
from pintsize.emulate.cores import Core
from pintsize.emulate.counting import Block, Counts, Ownership, count_blocks
from pintsize.emulate.elf import code_reader, flash_image, place, symbols_of
from pintsize.emulate.execution import Execution
from pintsize.emulate.inputs import as_rows
from pintsize.emulate.toolchain import compiler_command, invoke, shipped, source_folder
from pintsize.errors import ToolError

RUN_TIMEOUT_S = 600
_FAULT = re.compile(rb"FAULT ([0-9a-f]{8})")


def why_not(core: Core) -> str | None:
    """None when QEMU can run this core here, else the reason in words."""
    if core.qemu_machine is None or core.qemu_system is None:
        return f"QEMU has no board with a {core.name}"
    if shutil.which(core.qemu_system) is None:
        return f"{core.qemu_system} is not installed"
    return None


def available(core: Core) -> bool:
    """Whether QEMU can run this core here."""
    return why_not(core) is None


def run(program: Program, inputs: np.ndarray, count: bool = True, restart_every: int = 0) -> Execution:
    """Runs `inputs`, int8 (n, input bytes), in order after one init; counts the first when asked to.

    restart_every: init again before every so many.
    Raises DataError when the inputs do not fit the program, and ToolError when QEMU cannot run the core,
    takes no plugin (which counting needs), or when the program faults or does not end.
    """
    rows = as_rows(inputs, program.input_bytes)
    reason = why_not(program.core)
    if reason:
        raise ToolError(f"{program.core.name} cannot run here: {reason}")
    board = _Board.of(program, restart_every)
    with TemporaryDirectory(prefix="pintsize-") as name:
        folder = Path(name)
        (folder / "program.elf").write_bytes(board.elf)
        (folder / "inputs.bin").write_bytes(rows.tobytes())
        _run_board(board, folder, count)
        outputs, stack_bytes = _read_outputs(program, folder, len(rows))
        if not count:
            return Execution(outputs)
        counts, taken_branches = _read_counts(board, folder)
    return Execution(
        outputs=outputs,
        instructions=counts.instructions,
        by_layer=counts.by_layer,
        mnemonics=counts.mnemonics,
        layer_mnemonics=counts.layer_mnemonics,
        taken_branches=taken_branches,
        stack_bytes=stack_bytes,
    )


@dataclass(frozen=True)
class _Board:
    """A program as it is linked for the board, and who owns which of its instructions."""

    core: Core
    elf: bytes
    ownership: Ownership

    @classmethod
    def of(cls, program: Program, restart_every: int) -> _Board:
        numbers = {
            "INPUT_BYTES": program.input_bytes, "OUTPUT_BYTES": program.output_bytes, "RESTART_EVERY": restart_every
        }  # fmt: skip
        sizes = tuple(f"-D{name}={number}" for name, number in numbers.items())
        elf = link_with(program, "harness.c", sizes)
        return cls(program.core, elf, Ownership(symbols_of(elf), program.run_name, outside=("main",)))


def _run_board(board: _Board, folder: Path, count: bool) -> None:
    command = [*_board_command(board.core), "-kernel", "program.elf"]
    if count:
        command += ["-plugin", _prepare_plugin(board, folder)]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=RUN_TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{board.core.name}: the program did not end within {RUN_TIMEOUT_S} s") from error
    if done.returncode != 0:
        raise ToolError(f"{board.core.name}: {_explain(board, done.stdout + done.stderr)}")


def _board_command(core: Core) -> list[str]:
    firmware = ["-bios", "none"] if core.isa == "riscv32" else []
    quiet = ["-nographic", "-monitor", "none", "-serial", "none"]
    semihosting = ["-semihosting-config", "enable=on,target=native"]
    return [str(core.qemu_system), "-machine", str(core.qemu_machine), *firmware, *quiet, *semihosting]


def _explain(board: _Board, said: bytes) -> str:
    fault = _FAULT.search(said)
    if fault:
        return f"the program faulted at {place(symbols_of(board.elf), int(fault[1], 16))}"
    words = said.decode(errors="replace").strip() or "no message"
    if "plugin" in words:
        return f"this QEMU takes no plugin, which counting instructions needs: {words[:400]}"
    return f"QEMU failed: {words[:400]}"


def _read_outputs(program: Program, folder: Path, count: int) -> tuple[np.ndarray, int]:
    content = (folder / "outputs.bin").read_bytes()
    output_bytes = count * program.output_bytes
    if len(content) != output_bytes + 4:
        raise ToolError(f"{program.core.name} wrote {len(content)} bytes, not {output_bytes + 4}")
    outputs = np.frombuffer(content[:output_bytes], np.int8).reshape(count, program.output_bytes).copy()
    return outputs, int.from_bytes(content[output_bytes:], "little")


def _read_counts(board: _Board, folder: Path) -> tuple[Counts, int]:
    path = folder / "blocks.txt"
    if not path.is_file():
        raise ToolError(f"{board.core.name}: the counting plugin ran out of memory")
    first, *lines = path.read_text(encoding="ascii").splitlines()
    blocks = []
    for line in sorted(lines):
        address, *numbers = line.split()
        byte_count, instructions, owner, times = map(int, numbers)
        blocks.append(Block(int(address, 16), byte_count, owner, times, instructions))
    counts = count_blocks(blocks, board.ownership, board.core, code_reader(board.elf))
    return counts, int(first.split()[1]) + 1  # the return itself leads out of the counted code


def _prepare_plugin(board: _Board, folder: Path) -> str:
    """Writes the plugin and what it reads. Gives QEMU's argument that loads it."""
    lines = "".join(f"{s.start:x} {s.end:x} {s.owner}\n" for s in board.ownership.spans)
    (folder / "spans.txt").write_text(lines, encoding="ascii")
    (folder / "code.bin").write_bytes(flash_image(board.elf, board.core.flash_origin))
    (folder / "counter.so").write_bytes(_plugin(str(board.core.qemu_system)))
    code = f"isa={board.core.isa},origin={board.core.flash_origin:x},code=code.bin"
    return f"./counter.so,spans=spans.txt,blocks=blocks.txt,{code}"


@cache
def _plugin(qemu_system: str) -> bytes:
    """The counting plugin as a shared library of this computer."""
    # QEMU itself defines what the plugin calls, when it loads it
    flags = ["-O2", "-std=c99", "-fPIC", "-shared", "-Wl,-z,undefs"]
    version = f"-DPLUGIN_VERSION={_plugin_version(qemu_system)}"
    with source_folder({name: shipped("counter", name) for name in ("tally.h", "qemu_plugin.c")}) as folder:
        command = [*compiler_command(), *flags, version, "qemu_plugin.c", "-o", "counter.so"]
        invoke(command, folder, "compiling the counting plugin")
        return (folder / "counter.so").read_bytes()


def _plugin_version(qemu_system: str) -> int:
    """The version of the plugin interface to ask for: QEMU 9 gave up version 1."""
    done = invoke([qemu_system, "--version"], Path.cwd(), qemu_system, timeout_s=60)
    found = re.search(rb"version (\d+)\.", done.stdout)
    return 1 if found and int(found[1]) < 9 else 2

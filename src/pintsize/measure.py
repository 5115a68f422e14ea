"""What a written program takes on a device. Each figure says how it came about.

flash     measured: the sections of the program as linked for the core, constants and code
RAM       measured: its variables (arena, input, output) as linked, and the stack's high-water mark of a run
instructions   counted: every instruction of one run on the emulated core
latency, energy   estimated: cycle table of the core, datasheet clock and current
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pintsize import cycles, emulate
from pintsize.devices import Device
from pintsize.write.c import CProgram


@dataclass(frozen=True)
class Footprint:
    """What one program takes on one device. None: cannot be known here.

    linked: False where the device's core cannot be built for here; flash and RAM are then counted from the program's
    constants and buffers, without code and stack.
    """

    linked: bool
    flash_bytes: int
    ram_bytes: int
    arena_bytes: int
    weight_bytes: int
    stack_bytes: int | None = None
    instructions: int | None = None
    by_layer: Mapping[str, int] | None = None
    cycles: float | None = None
    latency_ms: float | None = None
    energy_mj: float | None = None
    latency_error: str = ""


def footprint(program: CProgram, device: Device, sample: np.ndarray) -> Footprint:
    """Links the program for the device's core and runs one sample (input codes) on the emulator."""
    return measure(program, device, sample.reshape(1, -1))[0]


def measure(
    program: CProgram, device: Device, inputs: np.ndarray
) -> tuple[Footprint, emulate.Execution | None]:
    """The figures of the first of the inputs (codes, (n, …)), and the run of them all where the core can run here."""
    weight_bytes = sum(program.constant_bytes)
    if device.core not in emulate.CORES or not emulate.core(device.core).is_firmware:
        buffers = program.plan.arena_bytes + program.io_bytes
        return Footprint(False, weight_bytes, buffers, program.plan.arena_bytes, weight_bytes), None
    built = emulate.build(program.files, emulate.core(device.core))
    linked = Footprint(True, built.flash_bytes, built.ram_bytes, built.arena_bytes or 0, weight_bytes)
    if emulate.can_run(device.core) is not None:
        return linked, None
    run = emulate.execute(built, inputs.reshape(len(inputs), -1).view(np.int8))
    branches = run.taken_branches or 0
    spent = cycles.estimate(device.core, run.mnemonics, branches, device.flash)
    found = replace(
        linked,
        ram_bytes=built.ram_bytes + (run.stack_bytes or 0),
        stack_bytes=run.stack_bytes,
        instructions=run.instructions,
        by_layer=run.by_layer,
        cycles=spent,
        latency_ms=None if spent is None else device.latency_ms(spent),
        energy_mj=None if spent is None else device.energy_mj(spent),
        latency_error=cycles.TABLES[device.core].error if spent is not None else "",
    )
    return found, run

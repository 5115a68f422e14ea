"""`pintsize compile`: an integer model as a program for one device, proven and measured there.

read → drop what is constant → run in steps, where asked → write for the device → refuse what does not fit → prove and
measure on the emulated core → folder
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pintsize import devices, emulate
from pintsize.budget import Amount, size_bytes
from pintsize.computers import computer_files
from pintsize.devices import DEVICES, Device
from pintsize.emulate import CORES, Execution, can_run
from pintsize.emulate.wasm import build as build_wasm
from pintsize.errors import DoesNotFit, UserError
from pintsize.folder import MARKER, check_writable, write_folder
from pintsize.graph import BITS, Graph
from pintsize.manifest import golden_file, manifest
from pintsize.measure import Footprint, measure
from pintsize.passes.fold_constant_channels import fold_constant_channels
from pintsize.passes.streaming import Streamed, streamed
from pintsize.read.model_file import read_model
from pintsize.verify import CoreCheck, Skipped, compared, random_codes, require_equal, runner, verify
from pintsize.write.c import CProgram, with_self_test, write
from pintsize.write.c.calls import isa_of
from pintsize.write.saved import graph_files
from pintsize.write.web import web_files

GOLDEN_VECTORS = 8
#: the core of the device that takes a web page's files
WEB = "wasm32"
SELF_TEST_VECTORS = 4
#: random inputs run on this computer, the golden vectors first: as many as these multiply-accumulates allow
HOST_MACS, MOST_HOST_VECTORS = 40_000_000, 64
#: steps of one signal, where the program remembers: on this computer and on the emulated core
MOST_HOST_STEPS, GOLDEN_STEPS = 512, 48


@dataclass(frozen=True, eq=False)
class Compiled:
    """A program that was proven on the host and on the device's core, and what it takes there.

    stream: how it runs in steps, where that was asked for.
    """

    graph: Graph
    program: CProgram
    golden: tuple[np.ndarray, np.ndarray]
    device: Device
    checks: list[CoreCheck]
    skipped: list[Skipped]
    footprint: Footprint
    spare_flash_bytes: int = 0
    stream: Streamed | None = None

    def files(self) -> dict[str, bytes]:
        """Everything that belongs into the folder: name → content."""
        files = {name: text.encode() for name, text in self.program.files.items()}
        files |= graph_files(self.graph)
        if self.device.core == WEB:
            files |= web_files(self.graph, build_wasm(self.program.files))
        files |= computer_files(self.graph, self.device.core, self.golden)
        files["golden.npz"] = golden_file(*self.golden)
        device = {"name": self.device.name, "core": self.device.core}
        files[MARKER] = manifest(
            self.graph, device, self.metrics(), files, golden_vectors=len(self.golden[0]), isa=self.program.isa,
            reuse_io=self.program.plan.places[self.graph.inputs[0]] == "arena",
            spare_flash_bytes=self.spare_flash_bytes, **self._stream(),
        )  # fmt: skip
        return dict(sorted(files.items()))

    def named(self, prefix: str) -> dict[str, str]:
        """The same program with names that begin otherwise, so that several models go into one: name → C.

        prefix: a C identifier. Raises UserError for one that C does not take.
        """
        in_arena = self.program.plan.places[self.graph.inputs[0]] == "arena"
        again = write(self.graph, None, prefix, self.program.isa, in_arena, self.spare_flash_bytes)
        return {
            name: text
            for name, text in again.files.items()
            if name.startswith(prefix) and name[-2:] in (".c", ".h")
        }

    def metrics(self) -> dict[str, Any]:
        """The figures by name; None where one cannot be known here."""
        taken = self.footprint
        names = ("flash_bytes", "ram_bytes", "stack_bytes", "arena_bytes", "weight_bytes", "instructions",
                 "latency_ms", "energy_mj")  # fmt: skip
        remembered = {"state_bytes": self.program.state_bytes} if self.program.state_bytes else {}
        return {name: getattr(taken, name) for name in names} | remembered

    def _stream(self) -> dict[str, Any]:
        """What the manifest says of steps."""
        if self.stream is None:
            return {}
        names = ("hop", "window", "delay", "window_macs", "step_macs")
        return {"stream": {name: getattr(self.stream, name) for name in names}}


def compile_model(
    model: str | Path | Graph,
    device: str | Device,
    out: str | Path | None = None,
    reuse_io: bool = False,
    shape: tuple[int, ...] | None = None,
    on_core: Callable[[CoreCheck | Skipped], None] | None = None,
    spare_flash: Amount = None,
    stream: int | None = None,
    carry: bool = False,
) -> Compiled:
    """An integer model as a C program for a device, every integer proven on the host and the device's core.

    Args:
        model: a .tflite or .onnx file of integers, a folder that pintsize wrote, or an integer Graph.
        out: the folder to leave the program in; None: only in memory.
        reuse_io: the input and the output live in the arena, and a run may overwrite the input: less RAM.
        shape: of one input without the batch, where the file leaves it open.
        spare_flash: "16kB" or bytes that may be spent on speed (weights stored wider, on Cortex-M4, M7 and M33).
        stream: a hop in columns of the input; the program then takes so many new ones a run and remembers the rest of
            the window, equal to the window run anew; carry: see `streamed`.

    Raises ModelError or UnsupportedOp for a model that cannot be read, UserError for one that is not quantized,
    DoesNotFit with the figures when it is too large for the device, VerificationError when an integer differs.
    """
    target = devices.device(device)
    if out is not None:
        check_writable(Path(out))
    given = model if isinstance(model, Graph) else read_model(Path(model), shape)
    _require_integers(given)
    graph = given if given.states else fold_constant_channels(given)
    steps = None if stream is None else streamed(graph, stream, carry)
    graph = steps.graph if steps else graph
    vectors = GOLDEN_STEPS if graph.states else GOLDEN_VECTORS
    codes = random_codes(graph, _host_vectors(graph, steps))
    spare_bytes = size_bytes("spare_flash", spare_flash) or 0
    program = write(graph, isa=isa_of(target.core), reuse_io=reuse_io, spare_flash_bytes=spare_bytes)
    _refuse(
        graph, program, target, sum(program.constant_bytes), program.plan.arena_bytes
    )  # before it is compiled
    with (
        ThreadPoolExecutor() as pool
    ):  # compilers and emulators work while torch loads and the reference runs
        measuring = pool.submit(measure, program, target, codes[:vectors])
        running = pool.submit(_run_on_host, program.files, codes)
        outputs = _reference(given, codes, steps, carry)
        taken, run = measuring.result()
        _refuse(graph, program, target, taken.flash_bytes, taken.ram_bytes)
        on_host = running.result()
    golden = codes[:vectors], outputs[:vectors]
    program = with_self_test(program, graph, (codes[:SELF_TEST_VECTORS], outputs[:SELF_TEST_VECTORS]))
    found = (
        on_host if isinstance(on_host, Skipped) else compared("host", outputs, None, on_host),
        _on_device(target, program.files, golden, taken, run),
    )
    for one in found:
        if on_core:
            on_core(one)
    checks = [one for one in found if isinstance(one, CoreCheck)]
    require_equal(checks)
    skipped = [one for one in found if isinstance(one, Skipped)]
    compiled = Compiled(graph, program, golden, target, checks, skipped, taken, spare_bytes, steps)
    if out is not None:
        write_folder(compiled.files(), Path(out))
    return compiled


def _host_vectors(graph: Graph, steps: Streamed | None) -> int:
    """How many inputs the multiply-accumulates of the reference allow; with states, the steps of one signal."""
    allowed = HOST_MACS // max(steps.window_macs if steps else graph.macs, 1)
    if graph.states:
        return min(max(allowed, GOLDEN_STEPS), MOST_HOST_STEPS)
    return min(max(allowed, GOLDEN_VECTORS), MOST_HOST_VECTORS)


def _reference(graph: Graph, codes: np.ndarray, steps: Streamed | None, carry: bool) -> np.ndarray:
    """The integers that every core must compute, for steps from windows run anew; this is what brings in torch."""
    from pintsize.module import run_integers
    from pintsize.together import one_thread_each

    with one_thread_each():  # a second one would fight with the compilers for the processors
        if steps is None:
            return run_integers(graph, codes)
        if carry:  # no window gives these integers: the steps of the graph as it was given do
            return run_integers(streamed(graph, steps.hop, carry).graph, codes)
        return steps.of_step(run_integers(graph, steps.windows(codes)))


def _run_on_host(files: Mapping[str, str], codes: np.ndarray) -> Execution | Skipped:
    reason = can_run("host")
    return Skipped("host", reason) if reason else emulate.run(files, "host", codes.reshape(len(codes), -1))[1]


def _require_integers(graph: Graph) -> None:
    if not graph.type(graph.inputs[0]).is_quantized:
        raise UserError(
            f"{graph.name} is a model of real numbers: there are no integers to compile yet. Quantize it with its "
            "data first: pintsize shrink MODEL --data DATA --device DEVICE"
        )


def _on_device(
    device: Device, files: Mapping[str, str], golden: tuple[np.ndarray, np.ndarray], taken: Footprint,
    run: Execution | None,
) -> CoreCheck | Skipped:  # fmt: skip
    """The golden vectors on the device's emulated core, whose first one was also counted."""
    wanted = golden[1]
    if device.core == WEB and can_run(WEB) is None:
        return verify(files, *golden, (WEB,))[0][0]
    if run is None:
        known = device.core in CORES
        return Skipped(device.core, can_run(device.core) or "" if known else f"{device.core} is not emulated")
    different = int((run.outputs != wanted.reshape(len(wanted), -1).view(np.int8)).sum())
    return CoreCheck(
        device.core, runner(device.core), len(wanted), different, taken.instructions, taken.flash_bytes,
        taken.arena_bytes, taken.stack_bytes,
    )  # fmt: skip


def _refuse(graph: Graph, program: CProgram, device: Device, flash: int, ram: int) -> None:
    if flash <= device.flash_bytes and ram <= device.ram_bytes:
        return
    said = [f"{graph.name} does not fit {device.title}:"]
    if flash > device.flash_bytes:
        said.append(f"it needs {flash:,} B of flash, {device.flash_bytes:,} B are there;")
    if ram > device.ram_bytes:
        said.append(f"it needs {ram:,} B of RAM, {device.ram_bytes:,} B are there;")
    raise DoesNotFit(
        " ".join([*said, "what would make it fit:", "; ".join(_ways(graph, program, flash, ram))])
    )


def _ways(graph: Graph, program: CProgram, flash: int, ram: int) -> list[str]:
    """What the user can do, with figures where they are known."""
    ways: list[str] = []
    saved = _saved_by_reuse(graph, program)
    if saved:
        ways.append(f"--reuse-io saves {saved:,} B of RAM")
    wide = sum(graph.type(c).bytes for n in graph.nodes for c in graph.constants(n)[:1]
               if BITS[graph.type(c).dtype] == 8)  # fmt: skip
    if wide:
        ways.append(f"weights of 4 bits save about {wide // 2:,} B of flash")
    ways.append("a narrower model saves both: pintsize shrink")
    boards = [d for d in DEVICES.values() if d.core.startswith("cortex-m")]
    larger = [d for d in boards if d.flash_bytes >= flash and d.ram_bytes >= ram]
    nearest = sorted(larger, key=lambda d: (d.flash_bytes + d.ram_bytes, d.name))[:3]
    if nearest:
        ways.append(f"a larger device, such as {', '.join(d.name for d in nearest)}")
    return ways


def _saved_by_reuse(graph: Graph, program: CProgram) -> int:
    if program.plan.places[graph.inputs[0]] == "arena":
        return 0
    apart = program.plan.arena_bytes + sum(
        graph.type(n).activation_bytes for n in (*graph.inputs, *graph.outputs)
    )
    return max(0, apart - write(graph, isa=program.isa, reuse_io=True).plan.arena_bytes)

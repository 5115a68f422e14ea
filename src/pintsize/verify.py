"""The written program against the Graph: integers equal on every core, and the accuracy of those integers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from pintsize import emulate
from pintsize.arithmetic import dequantize, quantize
from pintsize.deferred import torch
from pintsize.errors import VerificationError
from pintsize.graph import Graph

if TYPE_CHECKING:
    from pintsize.compress.lesson import Goal

Runner = Literal["unicorn", "qemu", "host", "wasm"]

#: every core that programs are proven on where its emulator is installed
CORES = ("host", "cortex-m0", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "riscv32")


@dataclass(frozen=True)
class CoreCheck:
    """One core that ran the program. mismatches: differing output integers over all inputs."""

    core: str
    by: Runner
    inputs: int
    mismatches: int
    instructions: int | None = None
    flash_bytes: int | None = None
    arena_bytes: int | None = None
    stack_bytes: int | None = None


@dataclass(frozen=True)
class Skipped:
    """A core that could not run here, and why."""

    core: str
    reason: str


def input_codes(graph: Graph, x: np.ndarray) -> np.ndarray:
    """Real inputs (n, *input shape) → the codes that an integer Graph takes."""
    kind = graph.type(graph.inputs[0])
    return quantize(x, kind.scale[0], kind.zero_point, kind.code_bits)


def random_codes(graph: Graph, count: int, seed: int = 0) -> np.ndarray:
    """Input codes (count, *input shape) that reach every corner of the input's grid."""
    kind = graph.type(graph.inputs[0])
    bounds = np.iinfo(kind.dtype)
    draw = np.random.default_rng(seed)
    return draw.integers(bounds.min, bounds.max, (count, *kind.shape), endpoint=True).astype(kind.dtype)


def integer_outputs(graph: Graph, x: np.ndarray) -> np.ndarray:
    """Real inputs → what the chip will say, as real numbers (n, outputs)."""
    from pintsize.module import run_integers

    kind = graph.type(graph.outputs[0])
    codes = run_integers(graph, input_codes(graph, x))
    return dequantize(codes, kind.scale[0], kind.zero_point).reshape(len(x), -1)


def float_outputs(graph: Graph, x: np.ndarray, batch: int = 256) -> np.ndarray:
    """Real inputs → a float Graph's outputs (n, outputs)."""
    from pintsize.module import run_float

    with torch.no_grad():
        parts = [
            run_float(graph, torch.from_numpy(x[i : i + batch])).flatten(1) for i in range(0, len(x), batch)
        ]
    return torch.cat(parts).numpy()


def accuracy(outputs: np.ndarray, wanted: np.ndarray | None, teacher: np.ndarray, goal: Goal) -> float:
    """Share of right answers; without labels, agreement with the teacher; for values, the share explained (R²)."""
    if goal == "values":
        spread = ((teacher - teacher.mean(0)) ** 2).sum()
        return float(1.0 - ((outputs - teacher) ** 2).sum() / max(spread, 1e-12))
    answers = teacher.argmax(1) if wanted is None else wanted
    return float((outputs.argmax(1) == answers).mean())


def difference_error(
    outputs: np.ndarray, wanted: np.ndarray | None, teacher: np.ndarray, goal: Goal
) -> float:
    """Standard error of (teacher's accuracy - outputs' accuracy), paired by sample; 0 for values."""
    if goal == "values":
        return 0.0
    answers = teacher.argmax(1) if wanted is None else wanted
    difference = (teacher.argmax(1) == answers).astype(np.float64) - (outputs.argmax(1) == answers)
    return float(difference.std() / np.sqrt(len(difference)))


def verify(
    files: Mapping[str, str],
    inputs: np.ndarray,
    outputs: np.ndarray,
    cores: Iterable[str] = CORES,
    on_core: Callable[[CoreCheck | Skipped], None] | None = None,
) -> tuple[list[CoreCheck], list[Skipped]]:
    """Runs the C program on every core that can run here and compares with `outputs`.

    inputs, outputs: int8 codes (n, …). Raises VerificationError when one integer differs anywhere.
    """
    checks: list[CoreCheck] = []
    skipped: list[Skipped] = []
    for name in cores:
        reason = emulate.can_run(name)
        found = Skipped(name, reason) if reason else _check(files, name, inputs, outputs)
        if isinstance(found, Skipped):
            skipped.append(found)
        else:
            checks.append(found)
        if on_core:
            on_core(found)
    require_equal(checks)
    return checks, skipped


def require_equal(checks: Iterable[CoreCheck]) -> None:
    """Raises VerificationError when one integer differs on one of the cores."""
    wrong = [c for c in checks if c.mismatches]
    if wrong:
        raise VerificationError("; ".join(f"{c.core}: {c.mismatches} differing integers" for c in wrong))


def _check(files: Mapping[str, str], name: str, inputs: np.ndarray, outputs: np.ndarray) -> CoreCheck:
    return compared(name, outputs, *emulate.run(files, name, inputs.reshape(len(inputs), -1)))


def compared(
    name: str, outputs: np.ndarray, program: emulate.Program | None, run: emulate.Execution
) -> CoreCheck:
    """A core's run against the integers that it must have computed, codes (n, …)."""
    return CoreCheck(
        core=name,
        by=runner(name),
        inputs=len(outputs),
        mismatches=int(
            (run.outputs != outputs.reshape(len(outputs), -1).view(np.int8)).sum()
        ),  # byte by byte
        instructions=run.instructions,
        flash_bytes=program.flash_bytes if program else None,
        arena_bytes=program.arena_bytes if program else None,
        stack_bytes=run.stack_bytes,
    )


def runner(name: str) -> Runner:
    """What runs programs for a core here."""
    core = emulate.core(name)
    if core.isa == "host":
        return "host"
    if core.isa == "wasm32":
        return "wasm"
    return "unicorn" if core.unicorn_cpu else "qemu"

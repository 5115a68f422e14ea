"""The kernels of front-ends on every core and under every compiler at hand."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from pintsize import frontend
from pintsize.emulate import CORES, build, can_run, compile_check, core, qemu, run
from pintsize.emulate.build import model_sources
from pintsize.emulate.toolchain import invoke, source_folder
from pintsize.graph import Graph
from pintsize.integers import run_integers
from pintsize.write.c import write
from pintsize.write.c.calls import ISAS, isa_of
from tests.signals import as_bytes, awkward, of_bytes

GCC = "arm-none-eabi-gcc"
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
SAMPLES = 900


@cache
def every_front_end() -> Graph:
    """A band-pass, another rate, z-scores and logarithms of energies, one behind the other: (900,) → (7, 20)."""
    filtered = frontend.band_pass(4_000, (SAMPLES,), 30.0, 1_500.0)
    other = frontend.resample(4_000, 3_000, (SAMPLES,), 16)
    (samples,) = other.type("resample").shape
    return frontend.chain(
        filtered, other, frontend.z_score((samples,)),
        frontend.log_mel(3_000, samples / 3_000, 0.08, mels=20, hop_s=0.06, full_scale=8.0),
    )  # fmt: skip


def codes() -> np.ndarray:
    return awkward(SAMPLES)[[0, 1, 4, 7]]


@pytest.mark.parametrize("core_name", CORES)
def test_every_core_gives_the_integers(core_name: str) -> None:
    reason = can_run(core_name)
    if reason:
        pytest.skip(reason)
    graph = every_front_end()
    _, found = run(write(graph, isa=isa_of(core_name)).files, core_name, as_bytes(codes()), count=False)
    assert np.array_equal(of_bytes(found.outputs, graph), run_integers(graph, codes()))


@pytest.mark.parametrize("isa", ISAS)
def test_every_instruction_set_takes_the_same_kernels(isa: str) -> None:
    assert write(every_front_end(), isa=isa).files == write(every_front_end()).files  # type: ignore[arg-type]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("optimize", ["-O0", "-O3"])
def test_compilers_of_this_computer_warn_of_nothing(compiler: str, optimize: str) -> None:
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    assert compile_check(write(every_front_end()).files, compiler, flags=[optimize, *WARNINGS]) == ""


@pytest.mark.parametrize("core_name", ["cortex-m0", "cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("optimize", ["-Os", "-O3"])
def test_gcc_for_arm_warns_of_nothing(core_name: str, optimize: str) -> None:
    if not shutil.which(GCC):
        pytest.skip(f"{GCC} is not installed")
    flags = [f"-mcpu={core_name}", "-mthumb", optimize, *WARNINGS]
    flags += ["-mfloat-abi=hard"] if core_name == "cortex-m55" else []
    assert compile_check(write(every_front_end(), isa=isa_of(core_name)).files, GCC, flags=flags) == ""


@pytest.mark.parametrize("optimize", ["-O2", "-Os"])
def test_what_gcc_made_gives_the_integers_on_a_cortex_m4(optimize: str) -> None:
    reason = qemu.why_not(core("cortex-m4")) if shutil.which(GCC) else f"{GCC} is not installed"
    if reason:
        pytest.skip(reason)
    graph = every_front_end()
    files = write(graph, isa="dsp").files
    objects: list[bytes] = []
    with source_folder(files) as folder:
        for name in model_sources(files, "model"):
            command = [GCC, "-mcpu=cortex-m4", "-mthumb", "-std=c99", optimize, "-c", name, "-o", "object.o"]
            invoke(command, folder, f"{GCC} on {name}")
            objects.append((folder / "object.o").read_bytes())
    program = replace(build(files, core("cortex-m4")), objects=tuple(objects))
    found = qemu.run(program, as_bytes(codes()), count=False).outputs
    assert np.array_equal(of_bytes(found, graph), run_integers(graph, codes()))


@pytest.mark.parametrize("core_name", ["cortex-m0", "cortex-m3", "cortex-m33", "riscv32", "wasm32"])
def test_zig_warns_of_nothing(core_name: str) -> None:
    assert compile_check(write(every_front_end()).files, "zig", core(core_name), WARNINGS) == ""

"""The kernels of the Arm cores under arm-none-eabi-gcc, which hands out registers otherwise than clang does."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import Phase, given, settings

from pintsize.emulate import build, compile_check, core, qemu
from pintsize.emulate.build import Program, model_sources
from pintsize.emulate.toolchain import invoke, source_folder
from pintsize.graph import Graph
from pintsize.module import run_integers
from pintsize.write.c import CProgram, write
from pintsize.write.c.calls import Isa
from tests.drawn import random_codes
from tests.every_kernel import every_kernel
from tests.write.c.chains import chains

GCC = "arm-none-eabi-gcc"
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
CORES: dict[Isa, str] = {"dsp": "cortex-m4", "thumb": "cortex-m0", "helium": "cortex-m55"}
#: what runs them: a core with more instructions runs those of the small one, too
BOARDS = {"dsp": core("cortex-m4"), "thumb": core("cortex-m4"), "helium": core("cortex-m55")}
CHAIN = ("conv2d", "depthwise_conv2d", "pointwise", "linear")

pytestmark = pytest.mark.skipif(shutil.which(GCC) is None, reason=f"{GCC} is not installed")
every_isa = pytest.mark.parametrize("isa", CORES)
size_and_speed = pytest.mark.parametrize("optimize", ["-O2", "-Os"])


def flags(isa: Isa) -> list[str]:
    floats = ["-mfloat-abi=hard"] if isa == "helium" else []
    return [f"-mcpu={CORES[isa]}", "-mthumb", *floats]


@cache
def written(isa: Isa) -> CProgram:
    return write(every_kernel(), isa=isa, reuse_io=True)


def said(program: CProgram, isa: Isa, optimize: str) -> str:
    return compile_check(program.files, GCC, flags=[*flags(isa), optimize, *WARNINGS])


@every_isa
@size_and_speed
def test_no_warning_of_the_graph_of_every_kernel(isa: Isa, optimize: str) -> None:
    assert said(written(isa), isa, optimize) == ""


@every_isa
@size_and_speed
@settings(max_examples=1, phases=[Phase.generate])
@given(graph=chains(CHAIN, narrow=True))
def test_no_warning_of_a_chain(isa: Isa, optimize: str, graph: Graph) -> None:
    assert said(write(graph, isa=isa, reuse_io=True), isa, optimize) == ""


@cache
def linked(isa: Isa) -> Program:
    """The graph of every kernel as the emulator's own toolchain compiles and links it."""
    return build(written(isa).files, BOARDS[isa])


def compiled_by_gcc(isa: Isa, optimize: str) -> Program:
    """The program with GCC's objects, which are then linked with the same startup as everything else."""
    program = written(isa)
    objects = []
    with source_folder(program.files) as folder:
        for name in model_sources(program.files, "model"):
            command = [GCC, *flags(isa), "-std=c99", optimize, "-c", name, "-o", "object.o"]
            invoke(command, folder, f"{GCC} on {name}")
            objects.append((folder / "object.o").read_bytes())
    return replace(linked(isa), objects=tuple(objects))


@every_isa
@size_and_speed
def test_the_graph_of_every_kernel_agrees_on_the_core(isa: Isa, optimize: str) -> None:
    reason = qemu.why_not(BOARDS[isa])
    if reason:
        pytest.skip(reason)
    graph = every_kernel()
    program = compiled_by_gcc(isa, optimize)
    codes = random_codes(graph, 3)
    found = qemu.run(program, codes.reshape(3, -1).view(np.int8), count=False).outputs
    assert np.array_equal(found, run_integers(graph, codes).reshape(3, -1))

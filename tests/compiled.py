"""Compiled C for tests: the fastest compiler at hand, functions called one by one, many models in one program."""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache

import numpy as np
import pytest

from pintsize.emulate import Core, HostModel, build, execute
from pintsize.emulate.toolchain import compiler_command, invoke, source_folder
from pintsize.graph import Graph
from pintsize.write.c import CProgram, write
from pintsize.write.c.calls import Isa

#: no warning is let through
FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")


@cache
def host_compiler() -> str:
    """gcc or clang where there is one: several times faster than zig."""
    return next((name for name in ("gcc", "clang") if shutil.which(name)), "zig")


def sanitizing() -> str:
    """A compiler with sanitizers; the test is skipped where there is none."""
    if host_compiler() == "zig":
        pytest.skip("the sanitizers need gcc or clang")
    return host_compiler()


def run_on_host(files: Mapping[str, str], codes: np.ndarray) -> np.ndarray:
    """Output codes (n, output bytes) of the written program."""
    with HostModel(files, compiler=host_compiler(), optimize="-O1") as model:
        return model.run(codes.reshape(len(codes), -1))


@contextmanager
def library(source: str, files: Mapping[str, str] | None = None) -> Iterator[ctypes.CDLL]:
    """A shared library of one C file that may include `files`."""
    with source_folder({"library.c": source, **(files or {})}) as folder:
        flags = ["-std=c99", "-O1", "-fPIC", "-shared", "-Wno-unused-function", "-I."]
        command = [*compiler_command(host_compiler()), *flags, "library.c", "-o", "library.so"]
        invoke(command, folder, "compiling a library")
        yield ctypes.CDLL(str(folder / "library.so"))


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


HEADER = """\
#include <stdint.h>
#define MODEL_INPUT_BYTES {inputs}
#define MODEL_OUTPUT_BYTES {outputs}
void model_init(void);
void model_run(const int8_t *in, int8_t *out);
"""

DISPATCH = """\
#include "model.h"
{includes}
void model_init(void)
{{
{inits}
}}

void model_run(const int8_t *in, int8_t *out)
{{
    switch (in[0]) {{
{cases}
    }}
}}
"""


class ManyModels:
    """Several graphs in one program, which linking and starting an emulator is paid for once.

    The program is a model itself: the first input byte says which graph runs on the rest.
    """

    def __init__(self, graphs: Sequence[Graph], isa: Isa = "portable", reuse_io: bool = False) -> None:
        self.graphs = graphs
        self.prefixes = [f"m{i}" for i in range(len(graphs))]
        self.programs = [
            write(g, prefix=p, isa=isa, reuse_io=reuse_io) for g, p in zip(graphs, self.prefixes, strict=True)
        ]
        self.input_bytes = 1 + max(g.type(g.inputs[0]).elements for g in graphs)
        self.output_bytes = max(g.type(g.outputs[0]).elements for g in graphs)

    @property
    def sources(self) -> list[str]:
        return [name for name in self.files if name.endswith(".c")]

    @property
    def files(self) -> dict[str, str]:
        cases = "\n".join(f"    case {i}: {p}_run(in + 1, out); break;" for i, p in enumerate(self.prefixes))
        includes = "\n".join(f'#include "{p}.h"' for p in self.prefixes)
        inits = "\n".join(f"    {p}_init();" for p in self.prefixes)
        files = {
            "model.h": HEADER.format(inputs=self.input_bytes, outputs=self.output_bytes),
            "model.c": DISPATCH.format(includes=includes, cases=cases, inits=inits),
        }
        for program, prefix in zip(self.programs, self.prefixes, strict=True):
            files |= _own(program, prefix)
        return files

    def run_on_core(self, core: Core, codes: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Per graph the outputs (n, output bytes) of its inputs (n, *input shape)."""
        rows = np.concatenate([self.rows(i, c) for i, c in enumerate(codes)])
        program = build(self.files, core, sources=self.sources)
        outputs = execute(program, rows, count=False).outputs
        ends = np.cumsum([len(c) for c in codes])
        sizes = [g.type(g.outputs[0]).elements for g in self.graphs]
        return [part[:, :n] for part, n in zip(np.split(outputs, ends[:-1]), sizes, strict=True)]

    def rows(self, index: int, codes: np.ndarray) -> np.ndarray:
        rows = np.zeros((len(codes), self.input_bytes), np.int8)
        rows[:, 0] = index
        rows[:, 1 : 1 + codes[0].size] = codes.reshape(len(codes), -1)
        return rows


def _own(program: CProgram, prefix: str) -> dict[str, str]:
    names = (f"{prefix}.h", f"{prefix}.c", f"{prefix}_weights.c")
    return {name: program.files[name] for name in names if name in program.files}

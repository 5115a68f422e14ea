"""Runs a written model on this computer: in process through ctypes, or under the sanitizers."""

from __future__ import annotations

import _ctypes
import ctypes
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from pintsize.emulate.build import model_defines, model_sources
from pintsize.emulate.inputs import as_rows, restarts
from pintsize.emulate.toolchain import compiler_command, invoke, shipped, source_folder
from pintsize.errors import ToolError

_SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")
_RUN_TIMEOUT_S = 600


class HostModel:
    """A model compiled for this computer. A context manager: what it made is gone at its end.

    Args:
        files: the written files; only ``<prefix>.c`` (or `sources`) is compiled.
        compiler: ``"zig"``, or a program on the PATH such as ``"gcc"``.
        flags: more flags for the compiler, such as ``-march=native``, without which gcc and clang (not zig) use no
            instructions that only this computer may have.
        sanitize: run it as a program of its own under the address and undefined-behaviour sanitizers;
            the compiler is then the first of gcc and clang on the PATH unless another is named.

    Raises ToolError when it does not compile, MissingExtra when the compiler is not installed.
    """

    def __init__(
        self,
        files: Mapping[str, str],
        prefix: str = "model",
        compiler: str | None = None,
        optimize: str = "-O2",
        sanitize: bool = False,
        sources: Sequence[str] | None = None,
        flags: Sequence[str] = (),
    ) -> None:
        compiler = compiler or (_sanitizing_compiler() if sanitize else "zig")
        self._stack = ExitStack()
        self._program: Path | None = None
        try:
            with_loop = {**files, "pintsize_host.c": shipped("firmware", "host_loop.c")}
            self._folder = self._stack.enter_context(source_folder(with_loop))
            base = [optimize, *flags, "-std=c99", "-I.", *model_defines(prefix)]
            names = [*(sources or model_sources(files, prefix)), "pintsize_host.c"]
            self._library = self._load([*compiler_command(compiler), *base, "-fPIC", "-shared", *names])
            if sanitize:
                command = [*compiler_command(compiler), *base, *_SANITIZE, "-DPINTSIZE_FILTER", *names]
                self._program = self._compile(command, "filter")
        except BaseException:
            self._stack.close()
            raise
        self.input_bytes: int = self._library.pintsize_input_bytes()
        self.output_bytes: int = self._library.pintsize_output_bytes()
        self._library.pintsize_start()

    def run(self, inputs: np.ndarray, restart_every: int = 0) -> np.ndarray:
        """Outputs, int8 (n, output bytes), of inputs, int8 (n, input bytes), taken in order.

        Without `sanitize` a model's state goes on from one call to the next; with it every call starts
        anew. restart_every: init again before every so many inputs, the first among them. Raises DataError
        when the inputs have another shape or type, ToolError with the sanitizer's report when it finds something.
        """
        if restart_every:
            return np.concatenate(
                [
                    self._from_start(inputs[i : i + restart_every])
                    for i in restarts(len(inputs), restart_every)
                ]
            )
        rows = as_rows(inputs, self.input_bytes)
        if self._program is not None:
            return self._filter(self._program, rows)
        outputs = np.zeros((len(rows), self.output_bytes), np.int8)
        self._library.pintsize_run(_pointer(rows), _pointer(outputs), ctypes.c_size_t(len(rows)))
        return outputs

    def _from_start(self, inputs: np.ndarray) -> np.ndarray:
        self._library.pintsize_start()
        return self.run(inputs)

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _compile(self, command: Sequence[str], name: str) -> Path:
        suffix = ".exe" if sys.platform == "win32" else ""
        output = self._folder / f"{name}{suffix}"
        invoke([*command, "-o", output.name], self._folder, "compiling for the host")
        return output

    def _load(self, command: Sequence[str]) -> ctypes.CDLL:
        library = ctypes.CDLL(str(self._compile(command, "library")))
        self._stack.callback(_unload, library)
        library.pintsize_input_bytes.restype = ctypes.c_uint32
        library.pintsize_output_bytes.restype = ctypes.c_uint32
        return library

    def _filter(self, program: Path, rows: np.ndarray) -> np.ndarray:
        done = invoke([str(program)], self._folder, "the sanitized model", _RUN_TIMEOUT_S, rows.tobytes())
        expected = len(rows) * self.output_bytes
        if len(done.stdout) != expected:
            raise ToolError(f"the sanitized model wrote {len(done.stdout)} bytes, not {expected}")
        return np.frombuffer(done.stdout, np.int8).reshape(len(rows), self.output_bytes).copy()


def _sanitizing_compiler() -> str:
    """The first that is there; gcc comes with its sanitizers, clang on Debian only by recommendation."""
    for name in ("gcc", "clang"):
        if shutil.which(name):
            return name
    raise ToolError("the sanitizers need gcc or clang on the PATH, and there is neither")


def _pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _unload(library: ctypes.CDLL) -> None:
    """Lets go of the library's memory; Windows also needs it before the file can be removed."""
    unload = getattr(_ctypes, "dlclose", None) or getattr(_ctypes, "FreeLibrary", None)
    if unload is not None:
        unload(library._handle)

"""Compiles a model to WebAssembly and runs it with wasmtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pintsize.emulate.build import STACK_BYTES, model_defines, model_sources
from pintsize.emulate.cores import CORES
from pintsize.emulate.execution import Execution
from pintsize.emulate.inputs import as_rows, restarts
from pintsize.emulate.toolchain import (
    compiler_command,
    invoke,
    require,
    shipped,
    source_folder,
    target_flags,
)
from pintsize.errors import ToolError

if TYPE_CHECKING:
    from wasmtime import Instance, Store

_BUFFERS = "pintsize/wasm_buffers.c"
_BUFFER_EXPORTS = ("input", "output", "input_bytes", "output_bytes")


def build(
    files: Mapping[str, str],
    prefix: str = "model",
    optimize: str = "-O2",
    features: Sequence[str] = ("simd128",),
    sources: Sequence[str] | None = None,
) -> bytes:
    """The model as a WebAssembly module without imports.

    features: extensions of WebAssembly that the module may use, by the compiler's names; every browser of today has
    128-bit SIMD; sources: the C files, where they are not those that the writer names.

    Exports ``memory``, the init and run functions, and ``pintsize_input``, ``pintsize_output`` (addresses),
    ``pintsize_input_bytes`` and ``pintsize_output_bytes`` (sizes). Raises ToolError when it does not compile.
    """
    exports = [f"{prefix}_init", f"{prefix}_run", *(f"pintsize_{name}" for name in _BUFFER_EXPORTS)]
    linker = ["--no-entry", "--gc-sections", "-z", f"stack-size={STACK_BYTES}", "--strip-all"]
    command = [
        *compiler_command(),
        *target_flags(CORES["wasm32"]),
        *(f"-m{feature}" for feature in features),
        optimize,
        "-std=c99",
        "-I.",
        *model_defines(prefix),
        *(sources or model_sources(files, prefix)),
        _BUFFERS,
        *(f"-Wl,{flag}" for flag in [*linker, *(f"--export={name}" for name in exports)]),
        "-o",
        "model.wasm",
    ]
    with source_folder({**files, _BUFFERS: shipped("firmware", "wasm_buffers.c")}) as folder:
        invoke(command, folder, "compiling for WebAssembly")
        return (folder / "model.wasm").read_bytes()


def run(module: bytes, inputs: np.ndarray, prefix: str = "model", restart_every: int = 0) -> Execution:
    """Runs `inputs`, int8 (n, input bytes), in order after one init, and one before every so many. Counts nothing.

    Raises MissingExtra without wasmtime, DataError when the inputs do not fit, ToolError on a trap.
    """
    require("wasmtime", "web")
    import wasmtime

    try:
        store = wasmtime.Store()
        instance = wasmtime.Instance(store, wasmtime.Module(store.engine, module), [])
        return Execution(_run_rows(store, instance, inputs, prefix, restart_every))
    except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
        raise ToolError(f"the WebAssembly module failed: {error}") from error


def _run_rows(
    store: Store, instance: Instance, inputs: np.ndarray, prefix: str, restart_every: int
) -> np.ndarray:
    exports: Any = instance.exports(store)  # what an export is, shows at run time only
    memory = exports["memory"]
    source, target, input_bytes, output_bytes = (exports[f"pintsize_{n}"](store) for n in _BUFFER_EXPORTS)
    rows = as_rows(inputs, input_bytes)
    outputs = np.zeros((len(rows), output_bytes), np.int8)
    starts = set(restarts(len(rows), restart_every))
    for index, (row, output) in enumerate(zip(rows, outputs, strict=True)):
        if index in starts:
            exports[f"{prefix}_init"](store)
        memory.write(store, row.tobytes(), source)
        exports[f"{prefix}_run"](store, source, target)
        output[:] = np.frombuffer(memory.read(store, target, target + output_bytes), np.int8)
    return outputs

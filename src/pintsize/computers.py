"""The program for computers: WebAssembly that the streaming runtime runs, with no compiler and no torch there."""

from __future__ import annotations

import numpy as np

from pintsize.emulate import can_run, wasm
from pintsize.emulate.toolchain import is_installed
from pintsize.graph import Graph
from pintsize.verify import compared, require_equal
from pintsize.write.c import write

PROGRAM = "model.wasm"
#: cores of devices that can run the streaming runtime; a web page has the same program from its own writer
COMPUTERS = frozenset({"arm64", "cortex-a72"})
#: borders that the program can have
_CODES = frozenset({"int8", "int16"})


def computer_files(graph: Graph, core: str, golden: tuple[np.ndarray, np.ndarray]) -> dict[str, bytes]:
    """`model.wasm` of an integer Graph for a computer, proven where wasmtime is; nothing for another core.

    golden: (inputs (n, …), outputs (n, …)) codes. Without a compiler here, or with borders that are no codes, there is
    none, and who loads the folder is told so. Raises VerificationError when an integer differs.
    """
    borders = {graph.type(name).dtype for name in (graph.inputs[0], graph.outputs[0])}
    if core not in COMPUTERS or not borders <= _CODES or not is_installed("ziglang"):
        return {}
    module = wasm.build(write(graph, isa="simd128").files)
    if can_run("wasm32") is None:
        inputs, outputs = golden
        run = wasm.run(module, inputs.reshape(len(inputs), -1))
        require_equal([compared("wasm32", outputs, None, run)])
    return {PROGRAM: module}

"""Runs kernels on an emulated core, once, and says what each took there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pintsize import cycles, emulate
from pintsize.emulate.callees import callees, reached
from pintsize.graph import Graph, Node
from pintsize.write.c.bench import BenchProgram, write_bench
from pintsize.write.c.calls import Isa

#: bytes of constants and of operands in one program: half of what the smallest emulated board holds
CONSTANT_BYTES = 200_000
#: layers in one program
LAYERS = 120
#: the call of a layer in the run function
CALL_BYTES = 6
_BRANCHES = ("b", "cb", "j", "c.b", "c.j", "ret")

#: a C function with the numbers it is compiled for
KernelKey = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class Count:
    """One run of a layer. cycles: without waits for flash, None for a core without a table."""

    instructions: int
    cycles: float | None
    taken_branches: float


@dataclass(frozen=True)
class Code:
    """Bytes of code: `own` by kernel, `support` by function, `needs`: kernel → the functions it stands on.

    base: start-up code and what is always there; stub: what each layer adds.
    """

    own: Mapping[KernelKey, int]
    support: Mapping[str, int]
    needs: Mapping[KernelKey, frozenset[str]]
    base: int
    stub: int


@dataclass(frozen=True)
class Counted:
    """What one bench program showed. which: the numbers of its layers among those asked for."""

    which: list[int]
    layers: list[Count]
    code: Code
    stack_bytes: int


def count(layers: Sequence[tuple[Graph, Node]], core: str, isa: Isa) -> list[Counted]:
    """Measures layers (of integer Graphs) on a core that can be emulated, over one or more programs.

    Weights of one width to a program: what code stands on others then shows as in a network of that width.
    Raises ToolError when the toolchain fails, MissingExtra when it is not installed.
    """
    return [_counted([layers[i] for i in part], part, core, isa) for part in _parts(layers)]


def _parts(layers: Sequence[tuple[Graph, Node]]) -> Iterator[list[int]]:
    bits = [_weight_type(graph, node) for graph, node in layers]
    for own in dict.fromkeys(bits):
        part: list[int] = []
        constants = 0
        for i in (i for i, other in enumerate(bits) if other == own):
            graph, node = layers[i]
            more = sum(graph.type(c).elements for c in graph.constants(node))
            if part and (constants + more > CONSTANT_BYTES or len(part) == LAYERS):
                yield part
                part, constants = [], 0
            part.append(i)
            constants += more
        yield part


def _weight_type(graph: Graph, node: Node) -> str:
    """Layers without weights go with those of 8 bits."""
    constants = graph.constants(node)
    return graph.type(constants[0]).dtype if constants else "int8"


def _counted(layers: Sequence[tuple[Graph, Node]], which: list[int], core: str, isa: Isa) -> Counted:
    bench = write_bench(layers, isa)
    program = emulate.build(bench.files, emulate.core(core))
    run = emulate.execute(program, np.zeros((1, program.input_bytes), np.int8))
    branches = {name: _branches(m) for name, m in run.layer_mnemonics.items()}
    taken = (run.taken_branches or 0) / max(sum(branches.values()), 1)
    rows = []
    for name in bench.layers:
        mnemonics, jumps = run.layer_mnemonics.get(name, {}), taken * branches.get(name, 0)
        table = cycles.TABLES.get(core)
        spent = cycles.estimate(core, mnemonics, 0)
        if spent is not None and table is not None:
            spent += jumps * table.taken_branch
        rows.append(Count(run.by_layer.get(name, 0), spent, jumps))
    return Counted(which, rows, _code(bench, program), run.stack_bytes or 0)


def _branches(mnemonics: Mapping[str, int]) -> int:
    return sum(n for m, n in mnemonics.items() if m.startswith(_BRANCHES) and not m.startswith("bic"))


def _code(bench: BenchProgram, program: emulate.Program) -> Code:
    sizes = {s.name: s.size_bytes for s in program.symbols.values() if s.is_function}
    calls = callees(program)
    stubs = [sizes[name] for name in bench.layers if name in sizes]
    kernels = {*bench.layers, *bench.shared.values(), "model_run"}
    first = {key: name for key, name in bench.shared.items() if name in sizes}
    needs = {key: reached(name, calls) - kernels for key, name in first.items()}
    support = {name: sizes[name] for names in needs.values() for name in names}
    constants = sum(c.bytes for call in bench.calls for c in call.constants)
    known = sum(sizes.get(name, 0) for name in kernels) + sum(support.values())
    own = {key: sizes[name] for key, name in first.items()}
    stub = round(sum(stubs) / max(len(stubs), 1)) + CALL_BYTES
    return Code(own, support, needs, program.flash_bytes - constants - known, stub)
